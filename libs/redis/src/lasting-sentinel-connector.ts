import { SentinelConnector } from 'ioredis';

/** What hears from the sentinels that a master was replaced, for one connection (ioredis, `FailoverDetector`). */
interface Detector {
  cleanup(): void;
}

/**
 * Connects by sentinels, again and again. Of itself ioredis 6.0 keeps the detector of a connection that is gone until the
 * next one stands; where it hears of the new master before that, it breaks off the attempt under way, and the client has
 * ended for ever ("Connection is closed.").
 */
export class LastingSentinelConnector extends SentinelConnector {
  override connect(...how: Parameters<SentinelConnector['connect']>): ReturnType<SentinelConnector['connect']> {
    const { failoverDetector } = this as unknown as { readonly failoverDetector: Detector | null }; // private to its types alone
    failoverDetector?.cleanup();
    return super.connect(...how);
  }
}
