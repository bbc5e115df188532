import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { metricsText, startTelemetry, type Telemetry } from '#libs/telemetry';
import { EgressUnderTest } from './egress.fixture.js';
import { ProxyUnderTest } from './proxy/proxy.fixture.js';

let telemetry: Telemetry;
let under: EgressUnderTest;

beforeAll(async () => {
  telemetry = startTelemetry('test');
  under = await EgressUnderTest.start();
});
afterAll(async () => {
  await under.close();
  await telemetry.stop();
});

it('counts what egress does, by upstream, and names no tenant', async () => {
  const tenantId = 'canary-tenant';
  for (let failure = 0; failure < 11; failure += 1) await under.ask('/503', { tenantId });
  const breakers = await metricsText();
  expect(breakers).toMatch(/^wharf_egress_breakers\{[^}]*state="open"[^}]*\} 1\b/m);

  const proxied = await ProxyUnderTest.start();
  await proxied.ask(`${proxied.upstream.origin}/`);
  await proxied.connect(`127.0.0.1:${proxied.unnamed.port}`);
  await proxied.close();
  const text = await metricsText();
  expect(text).toMatch(/^wharf_egress_breaker_changes_total\{[^}]*state="open"[^}]*\} 1\b/m);
  expect(text).toMatch(/^wharf_egress_requests_total\{[^}]*outcome="5xx"[^}]*\} \d/m);
  expect(text).toMatch(/^wharf_egress_retries_total\{[^}]*why="server_error"[^}]*\} \d/m);
  expect(text).toMatch(/^wharf_egress_proxy_exchanges_total\{[^}]*kind="request",outcome="done"[^}]*\} 1\b/m);
  expect(text).toMatch(/^wharf_egress_proxy_exchanges_total\{[^}]*kind="tunnel",outcome="blocked"[^}]*\} 1\b/m);
  expect(text).not.toMatch(/canary-tenant/);
});
