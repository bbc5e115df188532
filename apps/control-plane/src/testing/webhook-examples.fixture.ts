import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const BODY = { mode: 'each', name: 'CANARY webhook', url: 'https://example.com/CANARY', events: ['*'] };

/** A tenant has twenty webhooks at most: the oldest makes room. */
async function makeRoom(api: ControlPlane, key: string): Promise<void> {
  const { webhooks } = (await api.send('GET', '/v1/webhooks', { key })).body;
  if (webhooks.length >= 15) await api.send('DELETE', `/v1/webhooks/${webhooks.at(-1).id}`, { key });
}

async function newWebhook(api: ControlPlane, { key }: TestTenant): Promise<string> {
  await makeRoom(api, key);
  const { status, text, body } = await api.send('POST', '/v1/webhooks', { key, body: BODY });
  if (status !== 201) throw new Error(`expected 201: ${text}`);
  return `/v1/webhooks/${body.webhook.id}`;
}

async function newDelivery(api: ControlPlane, tenant: TestTenant): Promise<string> {
  const webhook = await newWebhook(api, tenant);
  const { status, text, body } = await api.send('POST', `${webhook}/test`, { key: tenant.key });
  if (status !== 202) throw new Error(`expected 202: ${text}`);
  return `${webhook}/deliveries/${body.id}`;
}

/** A good request to every route of webhooks. */
export const WEBHOOK_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/webhooks': () => ({ path: '/v1/webhooks', status: 200 }),
  'POST /v1/webhooks': async (api, { key }) => {
    await makeRoom(api, key);
    return { path: '/v1/webhooks', status: 201, body: BODY };
  },
  'GET /v1/webhooks/{webhook}': async (api, tenant) => ({ path: await newWebhook(api, tenant), status: 200 }),
  'PATCH /v1/webhooks/{webhook}': async (api, tenant) => ({
    path: await newWebhook(api, tenant),
    status: 200,
    body: { name: 'CANARY renamed', state: 'paused' },
  }),
  'DELETE /v1/webhooks/{webhook}': async (api, tenant) => ({ path: await newWebhook(api, tenant), status: 204 }),
  'POST /v1/webhooks/{webhook}/secret': async (api, tenant) => ({
    path: `${await newWebhook(api, tenant)}/secret`,
    status: 200,
    body: { overlap_seconds: 60 },
  }),
  'POST /v1/webhooks/{webhook}/test': async (api, tenant) => ({
    path: `${await newWebhook(api, tenant)}/test`,
    status: 202,
  }),
  'GET /v1/webhooks/{webhook}/deliveries': async (api, tenant) => {
    const delivery = await newDelivery(api, tenant);
    return { path: delivery.slice(0, delivery.lastIndexOf('/')), status: 200 };
  },
  'POST /v1/webhooks/{webhook}/deliveries/{delivery}/replay': async (api, tenant) => ({
    path: `${await newDelivery(api, tenant)}/replay`,
    status: 202,
  }),
};
