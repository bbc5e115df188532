import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';

let started: Promise<number> | undefined;
/** What differs from a good configuration, by the issuer's path; text is answered as it is. */
const changed = new Map<string, object | string>();

/** Serves OpenID configurations: every path is an issuer of its own. */
function start(): Promise<number> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/.well-known/openid-configuration', '');
    const issuer = `http://localhost:${(server.address() as AddressInfo).port}${path}`; // listening on TCP
    const change = changed.get(path) ?? {};
    const good = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(typeof change === 'string' ? change : JSON.stringify({ ...good, ...change }));
  });
  server.unref();
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve((server.address() as AddressInfo).port)));
}

/** A new issuer that an operator has opened for the tenant, with a good configuration but for the change. */
export async function openIssuer(api: ControlPlane, tenant: TestTenant, change: object | string = {}): Promise<string> {
  started ??= start();
  const port = await started;
  const path = `/${randomBytes(5).toString('hex')}`;
  changed.set(path, change);
  const body = { host: 'localhost', port, reason: 'a test' };
  await api.send('POST', `/admin/v1/tenants/${tenant.slug}/egress-allowances`, { key: api.operatorKey, body });
  return `http://localhost:${port}${path}`;
}
