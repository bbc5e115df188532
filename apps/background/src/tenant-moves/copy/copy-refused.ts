import type { Client } from 'pg';
import type { TableDigest } from './table-stream.js';

/** Both ends of a copy: a transaction is open on each, the tenant's own. */
export interface CopyEnds {
  readonly source: Client;
  readonly target: Client;
  readonly tenantId: string;
  readonly signal: AbortSignal;
  readonly onTable?: (table: TableDigest) => Promise<void> | void;
}

/** Thrown where a copy cannot be what it is a copy of; the message is for operators. */
export class CopyRefused extends Error {
  override readonly name = 'CopyRefused';
}
