export { databaseSupplier } from './database-supplier.js';
export { contextVersion } from './egress-context.js';
