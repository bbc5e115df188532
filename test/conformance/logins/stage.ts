import { WharfApi } from '#libs/journey';
import type { Wharf } from '#libs/testing';
import { tokenOf } from '../../journeys/connections.fixture.js';
import type { Fixture } from '../fixture.js';
import type { Place } from './place.js';

const SERVER = 'upstream';

/** Makes the server that scenarios are published as, and has its owner signed in. */
export async function stagePlace(wharf: Wharf, { tenant, apiKey, person }: Fixture['owner']): Promise<Place> {
  const api = new WharfApi({ publicUrl: wharf.url, apiKey });
  await api.createServer(SERVER, 'A server of the suite');
  await api.allowWrites(SERVER, 'write');
  return {
    url: wharf.url,
    operatorKey: wharf.operatorKey,
    tenant,
    person,
    server: SERVER,
    connector: 'suite',
    management: await tokenOf(wharf, person, `${wharf.url}/v1/tenants/${tenant}`, 'management'),
    token: await tokenOf(wharf, person, `${wharf.url}/t/${tenant}/${SERVER}/mcp`, `${SERVER}:write`),
  };
}
