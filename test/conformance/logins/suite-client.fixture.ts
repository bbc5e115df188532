/**
 * Our client of upstream servers as the suite's scenarios of signing in start it: the platform. The server whose URL is
 * the last argument becomes the upstream of a tenant's server, its owner logs in there by the platform's own pages
 * whenever the platform asks for it, and calls the upstream's tool at the tenant's URL.
 */
import { logInAtUpstream } from '#libs/journey';
import { callModern } from '../../journeys/connections.fixture.js';
import { Owner } from './owner.js';
import { contextSchema, placeSchema } from './place.js';

/** Nobody logs in more often for one call. */
const LOGINS_MAX = 6;

const url = process.argv.at(-1) ?? '';
const place = placeSchema.parse(JSON.parse(process.env['WHARF_SUITE_PLACE'] ?? '{}'));
const told: unknown = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}');
const context = { ...contextSchema.parse(told), name: process.env['MCP_CONFORMANCE_SCENARIO'] };
const { connector, person } = place;
const owner = new Owner(place);
const connectUrl = new URL(`${place.url}/auth/account/connections/${place.tenant}/${connector}`);

/** Sets up where people log in, logs in there and publishes the server with that login. */
async function publishLoggedIn(): Promise<void> {
  await owner.connect({ resource: url, ...(await owner.givenClient(context)) });
  await logInAtUpstream(connectUrl, person);
  await owner.publish({ url, auth: { kind: 'connection', connector } });
}

await owner.open(Number(new URL(url).port));
if (context.name?.startsWith('auth/client-credentials-') === true)
  await owner.publish({ url, auth: await owner.credentialsFor(url, context) });
else
  await publishLoggedIn().catch((error: unknown) => {
    // Who grants tokens has changed meanwhile: the owner has the platform find out anew, where everybody logs in again.
    if (!String(error).includes('You are not logged in')) throw error;
    return publishLoggedIn();
  });
for (let login = 0; login < LOGINS_MAX; login += 1) {
  const { body } = await callModern(`${place.url}/t/${place.tenant}/${place.server}/mcp`, place.token, {
    name: 'test-tool',
  });
  if (body.result?.resultType !== 'input_required') break;
  await logInAtUpstream(connectUrl, person);
}
