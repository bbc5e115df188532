import { OperatorApi, signUp, WharfApi, type NewApiKey, type Upstream } from '#libs/journey';
import type { Wharf } from '#libs/testing';

/** A tenant of a test with a published bookshop. */
export interface TestShop {
  readonly slug: string;
  readonly owner: { readonly email: string; readonly password: string };
  readonly apiKey: NewApiKey;
  readonly api: WharfApi;
  readonly tenantUrl: string;
  readonly serverUrl: string;
}

/** Signs up a tenant, allows it the upstream and publishes the upstream's OpenAPI document as its server `books`. */
export async function openTestShop(wharf: Wharf, upstream: Upstream, slug: string): Promise<TestShop> {
  const owner = { email: `owner@${slug}.example`, password: `${slug} correct horse battery` };
  const { api_key: apiKey } = await signUp(wharf.url, { tenantName: `Tenant ${slug}`, slug, ...owner });
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: apiKey.text });
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.allowEgress(slug, upstream.host, upstream.port, 'the test’s own upstream');
  await api.createServer('books', 'Bookshop');
  await api.allowWrites('books');
  const { release } = await api.createRelease('books', { kind: 'openapi', document: upstream.openapi });
  await api.publish('books', release.id);
  return {
    slug,
    owner,
    apiKey,
    api,
    tenantUrl: `${wharf.url}/t/${slug}/mcp`,
    serverUrl: `${wharf.url}/t/${slug}/books/mcp`,
  };
}
