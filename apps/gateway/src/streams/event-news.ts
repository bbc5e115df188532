import { openSubscriber, type RedisStore } from '#libs/redis';

/** Hears of what gateways publish, over one connection however many listen. */
export class EventNews {
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #redis: RedisStore;
  #subscriber: RedisStore | undefined;

  constructor(redis: RedisStore) {
    this.#redis = redis;
  }

  /** Calls `onNews` at each message of a channel until the returned function is called. Subscribed when it resolves. */
  async hear(channel: string, onNews: () => void): Promise<() => void> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(onNews));
    await this.#connect()
      .subscribe(channel)
      .catch(() => undefined); // comes back by itself; who listens looks now and then anyway
    return () => {
      listeners.delete(onNews);
      if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return;
      this.#listeners.delete(channel);
      void this.#subscriber?.unsubscribe(channel).catch(() => undefined);
    };
  }

  close(): void {
    this.#subscriber?.disconnect();
  }

  #connect(): RedisStore {
    if (this.#subscriber !== undefined) return this.#subscriber;
    const subscriber = openSubscriber(this.#redis);
    subscriber.on('message', (channel: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener();
    });
    this.#subscriber = subscriber;
    return subscriber;
  }
}
