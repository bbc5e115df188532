export { databaseSupplier } from './database-supplier.js';
export { contextVersion, loadEgressContext } from './egress-context.js';
