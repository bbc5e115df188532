import { stderr, stdin, stdout } from 'node:process';
import { harmless, harmlessJson } from './visible.js';

/**
 * Where a command writes: results to standard output, everything else to standard error. Much of it was written by
 * others, so no text reaches the terminal with anything in it that a terminal obeys.
 */
export class Output {
  constructor(readonly json: boolean) {}

  /** Whether a person reads what is said here, and can act on it before the command goes on. */
  get personIsThere(): boolean {
    return !this.json && stdin.isTTY && stdout.isTTY && stderr.isTTY;
  }

  /** The result: as JSON with `--json`, else as the text for people. */
  result(value: unknown, text: string | readonly string[]): void {
    this.line(value, [text].flat().join('\n'));
  }

  /** One line of a result that goes on, such as a log. */
  line(value: unknown, text: string): void {
    stdout.write(`${this.json ? harmlessJson(value) : harmless(text)}\n`);
  }

  /** A remark to the person in front of the terminal. */
  say(text: string): void {
    stderr.write(`${harmless(text)}\n`);
  }

  /** Why a command ended without having done what it should: with `--json` a result too. */
  failure(problem: object, text: string | undefined): void {
    if (this.json) this.line({ error: problem }, '');
    else if (text !== undefined) this.say(`\n${text}`);
  }

  /** Shows how far long work is; on a terminal it draws over itself, elsewhere it says only that it began. */
  progress(title: string): Progress {
    return new Progress(title, stderr.isTTY && !this.json);
  }
}

const BAR = 24;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;

/** A bar, or a turning mark where nobody knows how much is left. */
class Progress {
  #frame = 0;
  #part: number | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly title: string,
    private readonly drawn: boolean,
  ) {
    if (drawn) this.#timer = setInterval(() => this.#draw(), FRAME_MS).unref();
    else stderr.write(`${title} …\n`);
  }

  /** @param part from 0 to 1 */
  at(part: number): void {
    this.#part = part;
  }

  done(remark = 'done'): void {
    clearInterval(this.#timer);
    if (this.drawn) stderr.write(`\r\u001b[K✔ ${this.title}: ${remark}\n`);
  }

  failed(): void {
    clearInterval(this.#timer);
    if (this.drawn) stderr.write(`\r\u001b[K✘ ${this.title}\n`);
  }

  /** Runs work and says how it ended. */
  async during<Result>(work: (progress: Progress) => Promise<Result>, remark?: (result: Result) => string) {
    try {
      const result = await work(this);
      this.done(remark?.(result));
      return result;
    } catch (error) {
      this.failed();
      throw error;
    }
  }

  #draw(): void {
    this.#frame += 1;
    const full = Math.round((this.#part ?? 0) * BAR);
    const mark =
      this.#part === undefined
        ? FRAMES[this.#frame % FRAMES.length]
        : `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${Math.round(this.#part * 100)} %`;
    stderr.write(`\r\u001b[K${mark} ${this.title}`);
  }
}
