import { expect, test } from '@jest/globals';
import { AUDIT_EVENTS, ocsfEvent, type ShownRecord } from '../index.js';
import { ocsf } from './ocsf-schema.fixture.js';

const ACTORS: ReadonlyArray<ShownRecord['actor']> = [
  { kind: 'person', id: 'p-1', client: 'c-1', acting: ['c-1', 'c-0'] },
  { kind: 'client', id: 'c-1' },
  { kind: 'api-key', id: 'k-1' },
  { kind: 'operator', id: 'o-1' },
  { kind: 'system', id: 'background' },
  { kind: 'anonymous' },
];
/** What records of calls and of sign-ins have, and then nothing of it. */
const DETAILS = [
  {
    method: 'tools/call',
    name: 'find',
    server: 'shop',
    http_status: 200,
    rpc_code: -32_602,
    duration_ms: 12.4,
    bytes_in: 90,
    bytes_out: 120,
    account: 'p-1',
    email: 'ada@example.com',
  },
  {},
];

function* records(): Generator<ShownRecord> {
  for (const event of Object.keys(AUDIT_EVENTS))
    for (const [at, actor] of ACTORS.entries())
      for (const details of DETAILS)
        yield {
          id: '0190b6f0-0000-7000-8000-000000000001',
          leaf_index: 7,
          at: '2026-07-01T00:00:00.000Z',
          event,
          actor,
          target: 'server:s-1',
          outcome: at % 2 === 0 ? 'ok' : 'refused',
          details,
          source_address: at % 2 === 0 ? '2001:db8::7' : null,
          trace_id: at % 2 === 0 ? '4bf92f3577b34da6a3ce929d0e0e4736' : null,
          personal: 'none',
        };
}

test('every event of the catalogue, of any actor, is what OCSF 1.3.0 says of its class', () => {
  const wrong = [...records()].flatMap((record) => {
    const { error } = ocsf.safeParse(ocsfEvent(7, record));
    return error === undefined ? [] : [`${record.event} ${record.actor.kind}: ${error.message}`];
  });
  expect(wrong).toEqual([]);
});

test.each([
  ['a sign-in without its user', 'login.succeeded', { user: undefined }],
  ['a change without its entity', 'server.created', { entity: undefined }],
  ['a call from nowhere', 'call.completed', { src_endpoint: undefined }],
  ['an attribute that the class does not have', 'call.completed', { http_response: { code: 200 } }],
  ['an activity of another name', 'server.created', { activity_name: 'server.created' }],
  ['a type of another class', 'server.created', { type_uid: 600_399 }],
])('OCSF would refuse %s', (_, event, change) => {
  const record = [...records()].find((one) => one.event === event);
  if (record === undefined) throw new Error(`there is no ${event}`);
  expect(ocsf.safeParse({ ...ocsfEvent(7, record), ...change }).success).toBe(false);
});
