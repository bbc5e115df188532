import type { DocumentChange } from '#libs/protocol';
import type { WorkSpan } from '#libs/telemetry';

/** An exchange that a caller has open on its connection. */
export interface OpenExchange {
  cancel: () => void;
  /** Tells its worker of changed documents, once it has one. */
  tell?: (change: DocumentChange) => void;
  listening?: true;
  span?: WorkSpan;
}
