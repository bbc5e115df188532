import { OperatorApi } from '../api/operator-api.js';
import { startUpstream } from '../upstream/start-upstream.js';
import { connectAgents } from './connect-agents.js';
import { openShop } from './open-shop.js';
import { operate } from './operate.js';
import { runReleases } from './run-releases.js';
import { stepsTo, type Report } from './stage.js';

/** Where the platform is, who operates it, and who hears how it goes. */
export interface JourneyOptions {
  readonly publicUrl: string;
  readonly operatorKey: string;
  readonly report: Report;
}

/**
 * Takes a running platform through everything a tenant, its customers' agents and an operator do, over its public
 * HTTP alone. @throws JourneyError naming the first step that did not come out as promised
 */
export async function runJourney({ publicUrl, operatorKey, report }: JourneyOptions): Promise<void> {
  const step = stepsTo(report);
  const secretValue = `shop-${crypto.randomUUID()}`;
  const upstream = await startUpstream({ writeKey: secretValue });
  try {
    const operator = new OperatorApi({ publicUrl, operatorKey });
    const shop = await openShop(step, { publicUrl, operator, upstream, secretValue });
    await connectAgents(step, shop);
    await runReleases(step, shop);
    await operate(step, shop);
  } finally {
    await upstream.stop();
  }
}
