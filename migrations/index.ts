export { migrateAll, type Migrated } from './support/migrate-all.js';
export { migrate, MIGRATION_NAMES, MigrationError } from './support/migrate.js';
