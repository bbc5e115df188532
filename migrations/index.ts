export { migrate, MIGRATION_NAMES, MigrationError } from './support/migrate.js';
