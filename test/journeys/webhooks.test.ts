import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { signUp, type SignedUp } from '#libs/journey';
import { startWebhookReceiver, startWharf, type ReceivedMessage, type Wharf, type WebhookReceiver } from '#libs/testing';

/** A tenant is told of its events: through the management API, the audit log, the queue and a real receiver. */
let wharf: Wharf;
let receiver: WebhookReceiver;
let shop: SignedUp;
let twin: SignedUp;

beforeAll(async () => {
  [wharf, receiver] = await Promise.all([startWharf(), startWebhookReceiver()]);
  [shop, twin] = await Promise.all(['hooked', 'hooked-twin'].map((slug) => newTenant(slug)));
  await send('POST', `/admin/v1/tenants/hooked/egress-allowances`, wharf.operatorKey, {
    host: '127.0.0.1',
    port: receiver.port,
    reason: 'a test receiver',
  });
});

afterAll(() => Promise.all([wharf.stop(), receiver.stop()]));

async function newTenant(slug: string): Promise<SignedUp> {
  const { tenant } = await signUp({
    publicUrl: wharf.url,
    tenantName: slug,
    slug,
    email: `${slug}@example.com`,
    password: 'correct horse battery',
  });
  return tenant;
}
