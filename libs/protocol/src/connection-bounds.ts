/** How long a caller waits before it reaches for a lost runtime again; twice as long each time. */
export const RECONNECT_MS = { min: 50, max: 2_000 };
/** How long a runtime may take to say hello. */
export const HELLO_MS = 5_000;
/** How often what is past its deadline is ended. */
export const SWEEP_MS = 250;
/** A runtime that lets a deadline pass, and of which nothing was heard for so long, is taken to be gone without a word. */
export const SILENT_MS = 5_000;
/** What may be open on one connection. */
export const EXCHANGES_MAX = 10_000;
/** What may wait to be read on one connection. */
export const PENDING_BYTES_MAX = 128 * 1024 * 1024;
