import { RuntimeGroup } from './runtime-group.js';
import type { RuntimeClientOptions } from './runtime-client-options.js';
import type { RuntimeConnection } from './runtime-connection.js';

const LOOK_EVERY_MS = 5_000;

/**
 * Connections to the runtimes there are: our own, which take what is new, and those that are only asked for what they
 * hold already, as the runtimes of the other half are while one half of the platform takes over from the other.
 */
export class RuntimeSet {
  readonly #own: RuntimeGroup;
  readonly #others: RuntimeGroup;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(options: RuntimeClientOptions) {
    this.#own = new RuntimeGroup(options.sockets, options, 'kept');
    this.#others = new RuntimeGroup(options.holding ?? [], options, 'empty');
    if (this.#own.hasNames || this.#others.hasNames)
      this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  /** Those that may be given something new: those that are drained only where there are no others. */
  get taking(): readonly RuntimeConnection[] {
    const taking = this.ready.filter(({ draining }) => !draining);
    return taking.length > 0 ? taking : this.ready;
  }

  /** Those of our own that can be called and have not left. */
  get ready(): readonly RuntimeConnection[] {
    return this.#own.present.filter((connection) => connection.ready);
  }

  /** Those that can be called for what they hold already, such as a session: also those that are leaving, and the others. */
  get holding(): readonly RuntimeConnection[] {
    return this.all.filter((connection) => connection.ready);
  }

  /** All of them, also those that are leaving, and the others. */
  get all(): readonly RuntimeConnection[] {
    return [...this.#own.all, ...this.#others.all];
  }

  /** Resolves when every runtime that is known has said hello: a session of one that is not met yet would seem to be lost. */
  async untilReady(): Promise<void> {
    await this.look();
    await Promise.all(this.all.map((connection) => connection.untilReady()));
  }

  /** Looks up the names again. */
  async look(): Promise<void> {
    await Promise.all([this.#own.look(), this.#others.look()]);
  }

  /** Closes every connection. */
  close(): void {
    clearInterval(this.#timer);
    for (const connection of this.all) connection.close();
  }
}
