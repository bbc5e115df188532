/** What is done in rounds, and how often. */
export interface RoundsOptions {
  /** How long after a round the next one begins; a tenth more or less, so that processes that started together part. */
  readonly everyMs: number;
  readonly round: () => Promise<unknown>;
  /** Hears of a round that failed; the next one is made all the same. */
  readonly onFailed: (error: unknown) => void;
}

const SPREAD = 0.1;

/** Work that is done again and again: a round, a wait, the next round; never two at once. */
export class Rounds {
  readonly #stopping = new AbortController();
  #rung = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(private readonly options: RoundsOptions) {}

  /** Aborted when no more rounds are made: a long round looks here whether to go on. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Makes the first round at once; once begun it changes nothing. */
  start(): void {
    this.#running ??= this.#loop();
  }

  /** The next round begins now, or as soon as the one in hand has ended. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Ends after the round in hand; `reason` is what its signal gives. */
  async stop(reason?: Error): Promise<void> {
    this.#stopping.abort(reason);
    this.ring();
    await this.#running;
  }

  async #loop(): Promise<void> {
    while (!this.signal.aborted) {
      try {
        await this.options.round();
      } catch (error) {
        this.#tell(error);
      }
      await this.#wait();
    }
  }

  /** Who hears of it and fails does not end the rounds. */
  #tell(error: unknown): void {
    try {
      this.options.onFailed(error);
    } catch {
      // Heard of nowhere else: what fails is what would be told.
    }
  }

  async #wait(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.options.everyMs * (1 - SPREAD + 2 * SPREAD * Math.random())).unref();
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#rung = false;
  }
}
