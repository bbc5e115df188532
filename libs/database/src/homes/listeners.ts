import type { ChangeListener } from '../changes.js';

const LOOK_MS = 2_000;

/** Which databases are to be heard beside the common one, and how to begin. */
export interface ListeningParts {
  readonly inUse: () => Promise<readonly string[]>;
  readonly open: (database: string) => Promise<ChangeListener>;
  readonly onAway: (database: string, error: unknown) => void;
}

class Listeners implements ChangeListener {
  readonly #heard = new Map<string, ChangeListener>();
  #inUse: readonly string[] = [];
  #looking: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly common: ChangeListener,
    private readonly parts: ListeningParts,
  ) {
    this.#looking = this.#look();
  }

  get connected(): boolean {
    const others = this.#inUse.map((name) => this.#heard.get(name)?.connected === true);
    return this.common.connected && !others.includes(false);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await Promise.all([this.common, ...this.#heard.values()].map((listener) => listener.close()));
  }

  /** Begins to hear what has come into use, and ends what is in use no more. */
  async #look(): Promise<void> {
    const names = await this.parts.inUse().catch(() => this.#inUse);
    this.#inUse = names;
    await Promise.all(names.filter((name) => !this.#heard.has(name)).map((name) => this.#hear(name)));
    for (const [name, listener] of this.#heard) {
      if (names.includes(name)) continue;
      this.#heard.delete(name);
      await listener.close();
    }
    if (this.#closed) return;
    this.#timer = setTimeout(() => (this.#looking = this.#look()), LOOK_MS);
    this.#timer.unref();
  }

  async #hear(name: string): Promise<void> {
    try {
      this.#heard.set(name, await this.parts.open(name));
    } catch (error) {
      this.parts.onAway(name, error);
    }
  }
}

/** Hears, beside the common database, each dedicated one that is in use. */
export function listenEverywhere(common: ChangeListener, parts: ListeningParts): ChangeListener {
  return new Listeners(common, parts);
}
