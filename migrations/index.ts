export { migrate, MigrationError } from './support/migrate.js';
