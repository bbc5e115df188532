/**
 * Our client of upstream servers as the suite's scenarios of signing in start it: the platform. The server whose URL is
 * the last argument becomes a remote server of a tenant, its owner logs in there by the platform's own pages whenever
 * the platform asks for it, and calls the upstream's tool at the tenant's URL.
 */
import { randomBytes } from 'node:crypto';
import { logInAtUpstream } from '#libs/journey';
import { callModern, tokenOf } from '../../journeys/connections.fixture.js';
import { Owner } from './owner.js';
import { contextSchema, placeSchema } from './place.js';

/** Nobody logs in more often for one call. */
const LOGINS_MAX = 6;

const url = process.argv.at(-1) ?? '';
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const place = placeSchema.parse(JSON.parse(process.env['WHARF_SUITE_PLACE'] ?? '{}'));
const context = contextSchema.parse(JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}'));
const owner = new Owner(place);
const name = `s-${randomBytes(6).toString('hex')}`;
const connectUrl = new URL(`${place.url}/auth/account/connections/${place.tenant}/${name}`);

/** The client that the scenario has registered beforehand, its secret kept by the platform. */
async function givenClient(): Promise<object> {
  const { client_id: id, client_secret: secret } = context;
  if (id === undefined || secret === undefined) return {};
  await owner.api.putSecret(name, secret);
  return { client: { id, secret: name, method: 'basic' } };
}

const connector = { resource: url, ...(await givenClient()) };
await owner.open(Number(new URL(url).port));
await owner.connect(name, connector);
await owner.api.createServer(name, scenario);
await owner.api.allowWrites(name, 'write');
await logInAtUpstream(connectUrl, place.person);
const management = await tokenOf(place, place.person, `${place.url}/v1/tenants/${place.tenant}`, 'management');
await owner.publish(name, { url, auth: { kind: 'connection', connector: name } }, management);
const at = `${place.url}/t/${place.tenant}/${name}/mcp`;
const token = await tokenOf(place, place.person, at, `${name}:write`);
for (let login = 0; login < LOGINS_MAX; login += 1) {
  const { status, body } = await callModern(at, token, { name: 'test-tool' });
  process.stderr.write(`${status} ${JSON.stringify(body)}\n`);
  if (body.result?.resultType !== 'input_required') break;
  await logInAtUpstream(connectUrl, place.person);
}
