/** Injection tokens of what the service holds open: values that share a class or have none to be named by. */
export const CONFIG = Symbol('config');
/** The database as `wharf_control`: tenants' own work. */
export const TENANT_DATABASE = Symbol('tenant database');
/** The database as `wharf_operator`: operators' work across tenants. */
export const OPERATOR_DATABASE = Symbol('operator database');
export const REDIS = Symbol('redis');
export const LOGGER = Symbol('logger');
export const RUNTIME = Symbol('runtime');
export const VAULT = Symbol('vault');
/** Where artefacts and archives are. */
export const BLOBS = Symbol('blobs');
/** Keys of persons, under which the audit log keeps what is personal. */
export const PERSON_KEYS = Symbol('person keys');

/** Tells gateways of changes before they are answered. */
export const ANNOUNCER = Symbol('announcer');
