import { randomUUID } from 'node:crypto';
import { openSubscriber, publish, type RedisStore } from '#libs/redis';
import { CHANGES, HEARD } from './channels.js';

/** Longest wait for the gateways; one that is later hears of the change from the database. */
const WAIT_MS = 300;

/**
 * Tells every gateway of a committed change and waits until they have heard, so that whoever is answered after that
 * meets the new state everywhere. Redis only hastens what the database's notifications bring anyway.
 */
export class ChangeAnnouncer {
  readonly #waiting = new Map<string, () => void>();

  private constructor(
    private readonly redis: RedisStore,
    private readonly subscriber: RedisStore,
  ) {
    subscriber.on('message', (_channel: string, id: string) => this.#waiting.get(id)?.());
  }

  /** Announces through this connection; hears through one of its own. */
  static async open(redis: RedisStore): Promise<ChangeAnnouncer> {
    const subscriber = openSubscriber(redis);
    const announcer = new ChangeAnnouncer(redis, subscriber);
    void subscriber.subscribe(HEARD).catch(() => undefined);
    return announcer;
  }

  /** Resolves when every gateway has heard of the change, after 300 ms at the latest. Never throws. */
  async announce(tenantId: string): Promise<void> {
    const id = randomUUID();
    let heard = 0;
    let expected = Infinity;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, WAIT_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.set(id, () => {
        heard += 1;
        if (heard >= expected) done();
      });
      publish(this.redis, CHANGES, JSON.stringify({ id, tenantId })).then((gateways) => {
        expected = gateways;
        if (heard >= expected) done();
      }, done);
    });
    this.#waiting.delete(id);
  }

  close(): void {
    this.subscriber.disconnect();
  }
}
