import type { Logger } from '#libs/telemetry';

const STEP_MS = 10_000;

/** What has been opened, closed in the opposite order. A step that fails or hangs does not keep the next from running. */
export class Shutdown {
  readonly #steps: Array<{ readonly name: string; readonly close: () => unknown }> = [];
  #running: Promise<void> | undefined;

  constructor(private readonly logger: Logger) {}

  /** Remembers how to close something that was just opened. */
  add(name: string, close: () => unknown): void {
    this.#steps.push({ name, close });
  }

  /** Closes everything, at most ten seconds each; again and again is once. */
  run(): Promise<void> {
    return (this.#running ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const { name, close } of this.#steps.toReversed()) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not closed within ${STEP_MS} ms`)), STEP_MS);
      });
      await Promise.race([Promise.resolve().then(close), late])
        .catch((error: unknown) => this.logger.warn({ err: error, step: name }, 'shutdown step failed'))
        .finally(() => clearTimeout(timer));
    }
  }
}
