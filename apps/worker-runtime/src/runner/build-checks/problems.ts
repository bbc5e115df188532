import { AppError, type Problem } from '#libs/errors';

const PROBLEMS_MAX = 100;
const POINTER_CHARACTERS_MAX = 500;
const MESSAGE_CHARACTERS_MAX = 400;
/** Problems travel in a frame's header, which is bounded. */
const BYTES_MAX = 200 * 1024;

/** Everything that must be corrected before a release can be built, collected in the order it is found. */
export class Problems {
  readonly #found: Problem[] = [];
  readonly #known = new Set<string>();
  #bytes = 0;
  #left = 0;

  /** Whether anything was found. */
  get any(): boolean {
    return this.#found.length > 0;
  }

  /** What was found first, if anything was. */
  get first(): Problem | undefined {
    return this.#found[0];
  }

  /** Whether something is noted already for this place or one inside it. */
  covers(pointer: string): boolean {
    return this.#found.some((problem) => problem.pointer === pointer || problem.pointer.startsWith(`${pointer}/`));
  }

  /** Notes what is wrong where, once; past the bound, problems are only counted. */
  add(pointer: string, message: string): void {
    const problem = { pointer: cut(pointer, POINTER_CHARACTERS_MAX), message: cut(message, MESSAGE_CHARACTERS_MAX) };
    const text = JSON.stringify(problem);
    if (this.#known.has(text)) return;
    const bytes = Buffer.byteLength(text);
    if (this.#found.length >= PROBLEMS_MAX - 1 || this.#bytes + bytes > BYTES_MAX) {
      this.#left++;
      return;
    }
    this.#known.add(text);
    this.#bytes += bytes;
    this.#found.push(problem);
  }

  /** Stops the build when anything was found. @throws AppError unprocessable with every problem */
  refuse(): void {
    if (!this.any) return;
    const rest =
      this.#left === 0 ? [] : [{ pointer: '', message: `and ${this.#left} more problems; correct these first.` }];
    throw new AppError('unprocessable', {
      message: 'The release cannot be built from this. Correct the listed places and send it again.',
      problems: [...this.#found, ...rest],
    });
  }
}

/** An RFC 6901 pointer with one more token. */
export function at(pointer: string, ...tokens: ReadonlyArray<string | number>): string {
  return tokens.reduce<string>(
    (path, token) => `${path}/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`,
    pointer,
  );
}

function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`.toWellFormed();
}
