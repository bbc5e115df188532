import type { OperatorApi } from '../api/operator-api.js';
import type { SignedUp } from '../api/shapes.js';
import { signUp, WharfApi } from '../api/wharf-api.js';
import type { Person } from '../browser/sign-in.js';
import type { Upstream } from '../upstream/start-upstream.js';
import { expectThat, says, type Step } from './stage.js';

const TOOLS = 18;

/** A tenant with one live server, as the later steps find it. */
export interface Shop {
  readonly publicUrl: string;
  readonly tenant: SignedUp;
  readonly owner: Person;
  readonly api: WharfApi;
  readonly operator: OperatorApi;
  readonly upstream: Upstream;
  /** MCP URL of its first server. */
  readonly serverUrl: string;
  readonly secretValue: string;
}

/** What the platform's side brings. */
export interface ShopOptions {
  readonly publicUrl: string;
  readonly operator: OperatorApi;
  readonly upstream: Upstream;
  readonly secretValue: string;
}

/** From nothing to a live MCP server made of an OpenAPI document. */
export async function openShop(step: Step, options: ShopOptions): Promise<Shop> {
  const { publicUrl, operator, upstream, secretValue } = options;
  const owner = { email: `owner-${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() };
  const tenant = await step('Sign up', () => openTenant(publicUrl, owner));
  const api = new WharfApi({ publicUrl, apiKey: tenant.api_key.text });
  await step('Allow the upstream', async () => {
    await operator.allowEgress(tenant.tenant.slug, upstream.host, upstream.port, 'The sample bookshop of the demo.');
    return says(
      `an operator let ${tenant.tenant.slug} reach ${upstream.host}:${upstream.port}; private addresses are closed otherwise`,
    );
  });
  const server = await step('Create a server', async () => {
    await api.createServer('bookshop', 'Bookshop');
    const value = await api.allowWrites('bookshop');
    return { value, says: `${value.urls.mcp}, whose tools may write` };
  });
  await step('Store a secret', async () => {
    const { name, version } = await api.putSecret('shop-key', secretValue);
    return says(`${name}, version ${version}; no answer ever shows its value`);
  });
  const release = await step('Build a release', async () => {
    const { release, report, warnings } = await api.createRelease('bookshop', {
      kind: 'openapi',
      document: upstream.openapi,
      credentials: { shopKey: 'shop-key' },
    });
    expectThat(report.tools === TOOLS, `${report.tools} tools instead of ${TOOLS}: ${JSON.stringify(report.skipped)}`);
    expectThat(warnings.length === 0, warnings.join(' '));
    return {
      value: release,
      says: `${report.tools} tools from an OpenAPI document, ${report.list_tokens} tokens to list them`,
    };
  });
  await step('Publish', async () => {
    const started = performance.now();
    const live = await api.publish('bookshop', release.id);
    return says(`release ${live.number} is live after ${Math.round(performance.now() - started)} ms`);
  });
  return { publicUrl, tenant, owner, api, operator, upstream, serverUrl: server.urls.mcp, secretValue };
}

/** Signs up a tenant of one's own. */
export async function openTenant(publicUrl: string, owner: Person): Promise<{ value: SignedUp; says: string }> {
  const slug = `demo-${crypto.randomUUID().slice(0, 8)}`;
  const value = await signUp(publicUrl, { tenantName: 'Demo Books', slug, ...owner });
  return {
    value,
    says: `one request made ${value.tenant.slug}, its owner and its first API key (${value.api_key.prefix})`,
  };
}
