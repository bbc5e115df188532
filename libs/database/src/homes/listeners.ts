import type { ChangeListener } from '../changes.js';

const LOOK_MS = 2_000;

/** Which databases are to be heard beside the common one, and how to begin. */
export interface ListeningParts {
  readonly inUse: () => Promise<readonly string[]>;
  readonly open: (database: string) => Promise<ChangeListener>;
  readonly onAway: (database: string, error: unknown) => void;
}

/** A subscription to the changes of several databases. */
export interface HomesListener extends ChangeListener {
  readonly lost: readonly string[];
}

class Listeners implements HomesListener {
  readonly #heard = new Map<string, ChangeListener>();
  readonly #unheard = new Set<string>();
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

  /** Databases in use that are not heard, once that was tried. */
  get lost(): readonly string[] {
    return this.#inUse.filter((name) => this.#heard.get(name)?.connected === false || this.#unheard.has(name));
  }

  get connected(): boolean {
    const others = this.#inUse.map((name) => this.#heard.get(name)?.connected === true);
    return this.common.connected && !others.includes(false);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    this.#inUse = [];
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
      this.#unheard.delete(name);
    } catch (error) {
      this.#unheard.add(name);
      this.parts.onAway(name, error);
    }
  }
}

/** Hears, beside the common database, each dedicated one that is in use. */
export function listenEverywhere(common: ChangeListener, parts: ListeningParts): HomesListener {
  return new Listeners(common, parts);
}
