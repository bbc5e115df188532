/** One thing that goes wrong, and how it is put right again. */
export interface Fault {
  readonly name: string;
  /** What the platform promises of it, as docs/failures.md has it. */
  readonly promise: string;
  /** Whether a call may fail meanwhile: what calls do not need may break without any failing. */
  readonly calls: 'may fail' | 'must succeed';
  /** Why it cannot be brought about on this machine. */
  readonly skipped?: string;
  /** Brings it about, holds it for a while and ends it; resolves when it is over. */
  run(): Promise<void>;
}
