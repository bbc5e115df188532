/**
 * Which calls may fail: any, none, those alone whose record is written before they are answered, or those that are told that their session has
 * ended.
 */
export type MayFail = 'may fail' | 'must succeed' | 'recorded first may fail' | 'sessions may end';

/** One thing that goes wrong, and how it is put right again. */
export interface Fault {
  readonly name: string;
  /** What the platform promises of it, as docs/failures.md has it. */
  readonly promise: string;
  /** Whether a call may fail meanwhile: what calls do not need may break without any failing. */
  readonly calls: MayFail;
  /** Why it cannot be brought about on this machine. */
  readonly skipped?: string;
  /** Brings it about, holds it for a while and ends it; resolves when it is over. */
  run(): Promise<void>;
}
