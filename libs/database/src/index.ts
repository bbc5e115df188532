export { BatchSweep } from './batch-sweep.js';
export { Database, type DatabaseOptions, type OperatorAct, type Transaction } from './doors.js';
export { listenForChanges, type ChangeListener } from './changes.js';
export { firstIdAt, newId } from './new-id.js';
export { DATABASE_ROLES, rolePassword, urlForRole, type DatabaseRole } from './roles.js';
export { isTimeout, isUniqueViolation } from './sql-errors.js';
