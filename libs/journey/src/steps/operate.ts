import { callRaw, type RawAnswer } from '../agent/raw-call.js';
import { ApiProblem } from '../api/api-problem.js';
import { WharfApi } from '../api/wharf-api.js';
import { openTenant, type Shop } from './open-shop.js';
import { expectThat, says, type Step, type StepResult } from './stage.js';

const SLOW_PLAN = { callsPerMinute: 5, concurrentCalls: 4, serversMax: 10, workerMemoryMb: 256 };
const TAKES_EFFECT_MS = 10_000;
const EXPECTED_EVENTS = [
  'tenant.created',
  'egress_allowance.added',
  'server.created',
  'secret.written',
  'release.created',
  'release.published',
  'login.succeeded',
  'consent.granted',
  'token.issued',
  'call.completed',
  'call.refused',
  'api_key.revoked',
  'release.rolled_back',
  'tenant.plan_assigned',
  'tenant.suspended',
  'tenant.resumed',
] as const;

/** What the operator can do to a tenant, what the log says of it, and what others see of it. */
export async function operate(step: Step, shop: Shop): Promise<void> {
  await step('Limit by plan', () => limitByPlan(shop));
  await step('Suspend and resume', () => suspendAndResume(shop));
  await step('Read the audit log', () => readAudit(shop));
  await step('Look from another tenant', () => lookFromOutside(shop));
}

async function limitByPlan(shop: Shop): Promise<StepResult<undefined>> {
  const { slug, plan } = shop.tenant.tenant;
  await shop.operator.definePlan('demo-slow', SLOW_PLAN, 'The demo shows a limit.');
  await shop.operator.setPlan(slug, 'demo-slow', 'The demo shows a limit.');
  const limited = await callUntil(shop, (answer) => answer.status === 429);
  await shop.operator.setPlan(slug, plan, 'The demo is done with the limit.');
  await callUntil(shop, (answer) => answer.status === 200);
  return says(
    `429 with Retry-After ${limited.headers.get('retry-after')} (“${limited.message?.error?.message}”); back on ${plan}: 200`,
  );
}

async function suspendAndResume(shop: Shop): Promise<StepResult<undefined>> {
  const { slug } = shop.tenant.tenant;
  await shop.operator.suspend(slug, 'The demo shows a suspension.');
  const suspended = performance.now();
  const refused = await callUntil(shop, (answer) => answer.status === 403);
  const closedMs = Math.round(performance.now() - suspended);
  await shop.operator.resume(slug, 'The demo is done with the suspension.');
  const resumed = performance.now();
  await callUntil(shop, (answer) => answer.status === 200);
  const openMs = Math.round(performance.now() - resumed);
  return says(`403 after ${closedMs} ms (“${refused.message?.error?.message}”), 200 ${openMs} ms after the resume`);
}

/** Calls until the answer is the one that must come, within ten seconds. */
async function callUntil(shop: Shop, expected: (answer: RawAnswer) => boolean): Promise<RawAnswer> {
  const until = performance.now() + TAKES_EFFECT_MS;
  for (;;) {
    const answer = await callRaw({ url: shop.serverUrl, bearer: shop.tenant.api_key.text, method: 'tools/list' });
    if (expected(answer)) return answer;
    expectThat(performance.now() < until, `Still answered ${answer.status}: ${JSON.stringify(answer.message?.error)}`);
  }
}

async function readAudit(shop: Shop): Promise<StepResult<undefined>> {
  const until = performance.now() + TAKES_EFFECT_MS;
  for (;;) {
    const records = await shop.api.audit({ limit: 100 });
    const events = new Set(records.map((record) => record.event));
    const missing = EXPECTED_EVENTS.filter((event) => !events.has(event));
    if (missing.length === 0) {
      expectThat(!JSON.stringify(records).includes(shop.secretValue), 'The audit log shows the secret.');
      return says(`${records.length} records of ${events.size} kinds, from sign-up to resume; none shows a secret`);
    }
    // Calls are written in batches, a moment after their answers.
    expectThat(performance.now() < until, `The log has no ${missing.join(', ')}.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function lookFromOutside(shop: Shop): Promise<StepResult<undefined>> {
  const owner = { email: `other-${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() };
  const { value: other } = await openTenant(shop.publicUrl, owner);
  const api = new WharfApi({ publicUrl: shop.publicUrl, apiKey: other.api_key.text });
  expectThat((await api.servers()).length === 0, 'The other tenant sees servers.');
  const hidden = await api.server('bookshop').catch((error: unknown) => error);
  expectThat(
    hidden instanceof ApiProblem && hidden.status === 404,
    `The other tenant’s server answered ${String(hidden)}`,
  );
  const { status } = await callRaw({ url: shop.serverUrl, bearer: other.api_key.text, method: 'tools/list' });
  expectThat(status === 401, `The other tenant’s key was answered ${status} at the tenant URL.`);
  expectThat(
    !JSON.stringify(await api.audit()).includes(shop.tenant.tenant.id),
    'The other tenant’s log tells of this one.',
  );
  return says('no servers, 404 for bookshop, 401 at its URL, nothing of it in the log');
}
