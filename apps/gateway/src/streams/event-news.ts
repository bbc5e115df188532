import type { Redis } from 'ioredis';

/** Hears of what gateways publish, over one connection however many listen. */
export class EventNews {
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #redis: Redis;
  #subscriber: Redis | undefined;

  constructor(redis: Redis) {
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

  #connect(): Redis {
    if (this.#subscriber !== undefined) return this.#subscriber;
    const subscriber = this.#redis.duplicate({
      enableOfflineQueue: true,
      maxRetriesPerRequest: null,
      lazyConnect: false,
    });
    subscriber.on('error', () => undefined); // the connection it was made from tells of the same
    subscriber.on('message', (channel: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener();
    });
    this.#subscriber = subscriber;
    return subscriber;
  }
}
