import { Client } from 'pg';
import { connectWithApiKey, startUpstream, type Agent, type Upstream } from '#libs/journey';
import { startWharf, until, type RedisShape, type Wharf } from '#libs/testing';
import { openTestShop, type TestShop } from '../journeys/shop.js';
import { Traffic } from './traffic.fixture.js';

const MANY = 50;

/** A platform on a Redis whose master is about to be killed, with a shop whose calls no plan holds back. */
export class Failover {
  private constructor(
    private readonly wharf: Wharf,
    private readonly upstream: Upstream,
    private readonly shop: TestShop,
    private readonly session: Agent,
  ) {}

  static async open({ url }: RedisShape, more: Readonly<Record<string, string>> = {}): Promise<Failover> {
    const environment = { REDIS_URL: url, WHARF_SIGNUPS_PER_HOUR: '10', ...more };
    const [wharf, upstream] = await Promise.all([startWharf({ environment }), startUpstream()]);
    try {
      const owner = new Client({ connectionString: wharf.databaseUrl });
      await owner.connect();
      await owner.query(
        `update plans set calls_per_minute = 1000000, sessions_max = 10000, client_sessions_max = 10000`,
      );
      await owner.end();
      const shop = await openTestShop(wharf, upstream, 'failover');
      const session = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.apiKey.text });
      return new Failover(wharf, upstream, shop, session);
    } catch (error) {
      await Promise.all([wharf.stop(), upstream.stop()]);
      throw error;
    }
  }

  /** Calls of both eras, once they are answered. */
  async traffic(): Promise<Traffic> {
    const traffic = new Traffic(this.shop, this.session);
    await until(() => (traffic.ended.get('modern 200') ?? 0) > MANY, 'calls are answered');
    return traffic;
  }

  /** Ends the traffic once the session has gone on, and publishes a release as before; returns how calls failed. */
  async endOf(traffic: Traffic): Promise<string[]> {
    const before = traffic.ended.get('legacy 200') ?? 0;
    await until(() => (traffic.ended.get('legacy 200') ?? 0) > before + MANY, 'the session goes on');
    await traffic.end();
    const select = { operationIds: ['getBook'] };
    const source = { kind: 'openapi', document: this.upstream.openapi, select } as const;
    const { release } = await this.shop.api.createRelease('books', source);
    await this.shop.api.publish('books', release.id, 'breaking is meant');
    return traffic.failed;
  }

  async stop(): Promise<void> {
    await this.session.close();
    await Promise.all([this.wharf.stop(), this.upstream.stop()]);
  }
}
