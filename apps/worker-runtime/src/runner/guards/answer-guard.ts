import { isUtf8 } from 'node:buffer';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { GuardReport, OutcomeClass, ResultGuard } from '#libs/protocol';
import type { LargeAnswer } from '../results/kept-results.js';
import { withTexts } from './message-texts.js';
import { PersonalData, TooMuchToCheck, type Found } from './personal-data.js';
import { drive, finish, type Steps } from './steps.js';

/** A message, and how its call has ended with it. */
export interface Guarded {
  readonly message: object;
  readonly outcome: OutcomeClass;
}

/** Characters of a failure's message that are shown. */
const FAILURE_LENGTH_MAX = 16_000;

/** Why an answer is withheld. */
type Refusal = 'too large' | 'too much' | 'personal data';

/** Looks at what one call answers, before it leaves the worker or is kept. */
export class AnswerGuard {
  readonly #found: Found = {};
  #refusal: Refusal | undefined;

  private constructor(
    private readonly guard: ResultGuard,
    private readonly data: PersonalData | undefined,
  ) {}

  /** The guard of one call. */
  static async of(guard: ResultGuard): Promise<AnswerGuard> {
    const { personal_data: rule } = guard;
    return new AnswerGuard(guard, rule === null ? undefined : await PersonalData.of(rule.kinds));
  }

  /** What it did; undefined where it did nothing. */
  get report(): GuardReport | undefined {
    const refused = this.#refusal !== undefined;
    if (!refused && Object.keys(this.#found).length === 0) return undefined;
    const large = this.#refusal === 'too large' ? { too_large: true as const } : {};
    return { action: refused ? 'refused' : 'redacted', ...large, found: this.#found };
  }

  /** The final message as it may leave: itself, without personal data, or a refusal in its place. */
  async final(message: object, outcome: OutcomeClass): Promise<Guarded> {
    const { max_bytes: bytesMax } = this.guard;
    if (bytesMax !== null && Buffer.byteLength(JSON.stringify(message)) > bytesMax) this.#refusal ??= 'too large';
    const left = this.#refusal === undefined ? await this.#redacted(message) : undefined;
    if (this.#refuses() || left === undefined) return this.#refused(message);
    return { message: left, outcome };
  }

  /** A message before the final one: without personal data, since it cannot be refused; undefined where it is dropped. */
  async part(message: object): Promise<object | undefined> {
    const { max_bytes: bytesMax } = this.guard;
    const large = bytesMax !== null && Buffer.byteLength(JSON.stringify(message)) > bytesMax;
    return large && !('id' in message) ? undefined : this.#redacted(message);
  }

  /** A text of a failure: a sentence, without personal data. */
  text(text: string): string {
    const { data } = this;
    if (data === undefined) return text;
    try {
      return finish(data.redact(text.slice(0, FAILURE_LENGTH_MAX), this.#found));
    } catch (error) {
      if (!(error instanceof TooMuchToCheck)) throw error;
      return 'The call failed, with a message that holds more than is checked for personal data.';
    }
  }

  /** What is to be kept of a large answer; undefined where nothing may be. */
  async kept(answer: LargeAnswer): Promise<LargeAnswer | undefined> {
    const { max_bytes: bytesMax } = this.guard;
    if (bytesMax !== null && answer.content.length > bytesMax) {
      this.#refusal ??= 'too large';
      return undefined;
    }
    if (this.data === undefined || !isUtf8(answer.content)) return answer;
    const { data } = this;
    const text = answer.content.toString('utf8');
    const left = await this.#within(data.redact(text, this.#found));
    if (left === undefined || this.#refuses()) return undefined;
    return left === text ? answer : { ...answer, content: Buffer.from(left) };
  }

  #refuses(): boolean {
    if (this.guard.personal_data?.action === 'refuse' && Object.keys(this.#found).length > 0)
      this.#refusal ??= 'personal data';
    return this.#refusal !== undefined;
  }

  async #redacted(message: object): Promise<object | undefined> {
    const { data } = this;
    if (data === undefined) return message;
    return this.#within(withTexts(message, (text) => data.redact(text, this.#found)));
  }

  /** Undefined where there is more to check than is checked, which refuses the answer. */
  async #within<T>(redact: Steps<T>): Promise<T | undefined> {
    try {
      return await drive(redact);
    } catch (error) {
      if (!(error instanceof TooMuchToCheck)) throw error;
      this.#refusal ??= 'too much';
      return undefined;
    }
  }

  #refused(message: object): Guarded {
    const text = `${this.#reason()} The call itself was carried out where it was one: do not repeat it only because of this.`;
    const { jsonrpc, id, result } = message as { jsonrpc?: unknown; id?: unknown; result?: unknown };
    if (!isToolResult(result)) {
      const error = { code: ERROR_CATALOGUE.policy_denied.jsonRpc, message: text };
      return { message: { jsonrpc, id, error }, outcome: 'protocol_error' };
    }
    const { resultType } = result;
    const kind = resultType === undefined ? {} : { resultType };
    const told = { content: [{ type: 'text', text }], isError: true, ...kind };
    return { message: { jsonrpc, id, result: told }, outcome: 'tool_error' };
  }

  #reason(): string {
    if (this.#refusal === 'too large')
      return `The answer was withheld: it is larger than the ${this.guard.max_bytes} bytes that this server's result guard allows. Ask for less, for example with a filter, fewer fields or a smaller page.`;
    if (this.#refusal === 'too much')
      return "The answer was withheld: it holds more that looks like personal data than this server's result guard checks. Ask for less, for example with a filter or a smaller page.";
    const kinds = Object.entries(this.#found).map(([kind, count]) => `${kind} (${count})`);
    return `The answer was withheld: it holds personal data (${kinds.join(', ')}), which this server's result guard refuses. Ask for fields without it, or have the owner of the server change its result_guard.`;
  }
}

function isToolResult(result: unknown): result is { readonly resultType?: unknown } {
  return typeof result === 'object' && result !== null && 'content' in result;
}
