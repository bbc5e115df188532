const SECOND_MS = 1_000;
const CHARACTERS_PER_SECOND = 64 * 1024;
/** Longer than a secret in its longest form, so that none is cut before the runtime has taken it out. */
const LINE_CHARACTERS_MAX = 128 * 1024;
const KEPT_CHARACTERS_MAX = 4_000;
const DROPPED = 'Wharf: what this server prints beyond this is dropped until the next second.\n';

/**
 * What a third-party server prints, whole lines at a time and so many a second: what is more is dropped, since whoever
 * passes it on would wait for its reader. A line that is too long is dropped too.
 */
export class PrintedLines {
  readonly #pass: (text: string) => void;
  #line = '';
  #tooLong = false;
  #kept = '';
  #secondMs = 0;
  #passed = 0;

  constructor(pass: (text: string) => void) {
    this.#pass = pass;
  }

  /** The last lines, for whoever is told why the server did not start. */
  get last(): string {
    return keptOf(this.#kept, this.#line).trim();
  }

  /** Takes what was printed next. */
  take(text: string, nowMs: number): void {
    const [rest = '', ...more] = text.split('\n');
    this.#extend(rest);
    for (const next of more) {
      this.#end(nowMs);
      this.#extend(next);
    }
  }

  /** It prints nothing any more: what it said last may lack its end of line. */
  end(nowMs: number): void {
    if (this.#line !== '') this.#end(nowMs);
  }

  #extend(text: string): void {
    this.#tooLong ||= this.#line.length + text.length > LINE_CHARACTERS_MAX;
    this.#line = this.#tooLong ? '' : this.#line + text;
  }

  #end(nowMs: number): void {
    const line = this.#tooLong ? '' : `${this.#line}\n`;
    this.#line = '';
    this.#tooLong = false;
    this.#kept = keptOf(this.#kept, line);
    if (nowMs - this.#secondMs >= SECOND_MS) [this.#secondMs, this.#passed] = [nowMs, 0];
    const before = this.#passed;
    this.#passed += line.length;
    if (line === '' || before >= CHARACTERS_PER_SECOND) return;
    this.#pass(line);
    if (this.#passed >= CHARACTERS_PER_SECOND) this.#pass(DROPPED);
  }
}

/** The last whole lines; one that is longer than all that is kept is not. */
function keptOf(kept: string, line: string): string {
  if (line.length > KEPT_CHARACTERS_MAX) return '';
  const all = kept + line;
  if (all.length <= KEPT_CHARACTERS_MAX) return all;
  const cut = all.slice(-KEPT_CHARACTERS_MAX);
  return cut.slice(cut.indexOf('\n') + 1);
}
