import { newId } from '#libs/database';

/** The tenant that the rows are of, and the account of its member. */
export const A = newId();
export const ACCOUNT = newId();
/** What rows of other tables refer to. */
export const SERVER = newId();
export const RELEASE = newId();
export const PROBE = newId();
export const ROLLOUT = newId();
export const DOCUMENT = newId();
export const DATA_KEY = newId();
export const WEBHOOK = newId();
export const CONNECTOR = newId();
export const DIGEST = `sha256:${'0'.repeat(64)}`;
