import { createHash } from 'node:crypto';

/**
 * Why a call was made: by a client in its turn, by the same client once more after that had failed, or to see whether what was
 * broken is well again, at its own door and not at the balancer's.
 */
export type Purpose = 'first' | 'again' | 'probe';

/** A call that a client made, as the client knows it. */
export interface Call {
  readonly text: string;
  readonly purpose: Purpose;
  /** The row of the table that it belongs to: what was wrong when it began, or while it was under way. */
  row: string;
  /** The digest of its arguments, by which its audit record is found. */
  readonly digest: string;
  /** Whose it is: what its answer must hold. */
  readonly mark: string;
  /** How it was answered, once the whole answer was there. */
  answer?: { readonly status: number; readonly text: string; readonly retryAfterMs?: number };
  failed: boolean;
  /** Whether it was told so clearly that its session has ended that another one was begun, and nothing has failed. */
  sessionEnded: boolean;
  /** What the client saw, where it failed. */
  failure?: string;
  /** How long it took in the client, in ms, once that waits for it no more. */
  ms?: number;
}

/** Every call of a run, and answers that held what is another tenant's. */
export class Ledger {
  readonly calls: Call[] = [];
  readonly leaks: Array<{ readonly row: string; readonly text: string }> = [];
  /** The row that calls which begin now belong to. */
  row = 'before';
  #next = 0;

  constructor(private readonly marks: readonly string[]) {}

  /** From now on all is this fault's, also what is under way. */
  faultBegins(name: string): void {
    for (const call of this.calls) if (call.ms === undefined && call.row === this.row) call.row = name;
    this.row = name;
  }

  /** Writes a call down that begins now, under a text that no other has. */
  begin(mark: string, purpose: Purpose, row = this.row): Call {
    this.#next += 1;
    const text = `${mark} call ${this.#next}`;
    const digest = `sha256:${createHash('sha256').update(JSON.stringify({ text })).digest('hex')}`;
    const call: Call = { text, purpose, row, digest, mark, failed: true, sessionEnded: false };
    this.calls.push(call);
    return call;
  }

  /** Notes an answer, and whether it holds another tenant's mark. */
  answered(call: Call, answer: NonNullable<Call['answer']>): void {
    const { text } = answer;
    call.answer = answer;
    if (this.marks.some((mark) => mark !== call.mark && text.includes(mark))) {
      this.leaks.push({ row: call.row, text: `${call.text} was answered ${text.slice(0, 300)}` });
    }
  }
}
