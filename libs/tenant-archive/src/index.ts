export { listTenantTables, quoted, type Ask, type TenantTable } from './tables.js';
