import type { DocumentChange } from '#libs/protocol';
import type { WorkSpan } from '#libs/telemetry';

/** What one caller may have open at most. */
export const EXCHANGES_MAX = 8_192;
/** What may wait to be read by one caller, in bytes. */
export const PENDING_BYTES_MAX = 256 * 1024 * 1024;

/** An exchange that a caller has open on its connection. */
export interface OpenExchange {
  cancel: () => void;
  /** Tells its worker of changed documents, once it has one. */
  tell?: (change: DocumentChange) => void;
  listening?: true;
  span?: WorkSpan;
}
