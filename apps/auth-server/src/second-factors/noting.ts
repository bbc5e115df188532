import type { Transaction } from '#libs/database';

/** Notes a change in the transaction that makes it: neither is without the other. */
export type Noting = (tx: Transaction) => Promise<void>;
