import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readVerifierKey } from '#libs/tenant-import';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { failedImport, openImport } from '../testing/import-examples.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api?.stop());

const send = (method: string, path: string, body?: object) =>
  api.send(method, `/admin/v1/imports${path}`, { key: api.operatorKey, ...(body === undefined ? {} : { body }) });
const part = (id: string, number: number, body: string) =>
  api.send('PUT', `/admin/v1/imports/${id}/parts/${number}`, {
    key: api.operatorKey,
    body,
    headers: { 'content-type': 'application/octet-stream' },
  });
const REASON = { reason: 'it moves here' };
const SIGNED_BY = [`x.example+00000000+${Buffer.concat([Buffer.of(1), Buffer.alloc(32)]).toString('base64')}`];

test('an upload is what it was said to be, and can be gone on with', async () => {
  const id = await openImport(api, 'empty');
  expect((await send('GET', `/${id}`)).body).toMatchObject({ state: 'uploading', parts: 1, received: 0, next_part: 0 });
  expect((await send('POST', `/${id}/begin`, REASON)).body.detail).toContain('Part 0 is missing');
  expect([(await part(id, 0, 'short')).status, (await part(id, 1, 'beyond')).status]).toEqual([400, 404]);
  const once = await part(id, 0, 'an archive of one part');
  const again = await part(id, 0, 'an archive of one part');
  expect([once.body, again.body]).toEqual([once.body, once.body]);
  expect(once.body).toMatchObject({ received: 1, next_part: null });
  const other = await part(id, 0, 'AN ARCHIVE OF ONE PART');
  expect([other.status, other.body.detail]).toEqual([409, expect.stringContaining('other bytes')]);
});

test('one import is in hand at a time, and what has begun takes neither parts nor a second start', async () => {
  const first = await openImport(api, 'whole');
  const secret = { kind: 'passphrase', passphrase: 'SECRET-passphrase' };
  const begun = await send('POST', `/${first}/begin`, { ...REASON, secret });
  expect([begun.status, begun.body.state, begun.text.includes('SECRET')]).toEqual([202, 'waiting', false]);
  expect((await send('POST', `/${first}/begin`, REASON)).status).toBe(409);
  expect((await part(first, 0, 'an archive of one part')).status).toBe(409);
  const body = { bytes: 1, sha256: '0'.repeat(64), signed_by: SIGNED_BY, ...REASON };
  const second = (await send('POST', '', body)).body.id;
  await part(second, 0, 'x');
  const refused = await send('POST', `/${second}/begin`, REASON);
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('Another archive')]);
  expect((await send('POST', `/${first}/cancel`, REASON)).body).toMatchObject({ state: 'cancelled' });
  expect((await send('POST', `/${second}/begin`, REASON)).status).toBe(202);
  const acts = (await api.send('GET', '/admin/v1/actions?limit=50', { key: api.operatorKey })).text;
  expect(acts).toContain('tenants.import_begin');
  expect(acts).not.toContain('SECRET');
});

test.each([
  [{ plan: 'nobodys' }, '/plan'],
  [{ signed_by: ['no key'] }, '/signed_by/0'],
  [{ bytes: 21_474_836_481 }, '/bytes'],
  [{ sha256: 'x' }, '/sha256'],
  [{ slug: '0198c0de-0000-7000-8000-00000000000a' }, '/slug'],
])('%j is refused', async (wrong, pointer) => {
  const body = { bytes: 1, sha256: '0'.repeat(64), signed_by: SIGNED_BY, ...REASON, ...wrong };
  const answer = await send('POST', '', body);
  expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
});

test('one that failed is tried again with other choices and what was uploaded, and is given up otherwise', async () => {
  const id = await failedImport(api, 'kept');
  const shown = (await send('GET', `/${id}`)).body;
  expect([shown.state, Date.parse(shown.retry_until) > Date.now()]).toEqual(['failed', true]);
  const wrong = await send('POST', `/${id}/retry`, { ...REASON, plan: 'nobodys' });
  expect([wrong.status, wrong.body.errors?.[0].pointer]).toEqual([400, '/plan']);
  const again = await send('POST', `/${id}/retry`, { reason: 'a free slug', slug: 'acme-two', plan: 'team' });
  expect([again.status, again.body]).toMatchObject([
    202,
    { state: 'waiting', slug: 'acme-two', plan: 'team', failure: null, retry_until: null, reason: 'a free slug' },
  ]);
  expect((await send('POST', `/${id}/retry`, REASON)).body.detail).toContain('This import is waiting.');
  const given = await failedImport(api, 'kept');
  expect((await send('POST', `/${given}/cancel`, REASON)).body).toMatchObject({ state: 'cancelled' });
});

test('one whose archive is at fault is not tried again, and its sentence says why', async () => {
  const answer = await send('POST', `/${await failedImport(api, 'gone')}/retry`, REASON);
  expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('is not kept: The slug acme')]);
});

test('few uploads are open at once', async () => {
  const body = { bytes: 1, sha256: '0'.repeat(64), signed_by: SIGNED_BY, ...REASON };
  const answers: number[] = [];
  for (let count = 0; count < 6; count += 1) answers.push((await send('POST', '', body)).status);
  expect(answers.at(-1)).toBe(409);
});

test('the log of acts says whose signature an archive was trusted by, at first and when it is tried again', async () => {
  const another = `y.example+11111111+${Buffer.concat([Buffer.of(1), Buffer.alloc(32, 1)]).toString('base64')}`;
  const id = await failedImport(api, 'kept');
  expect((await send('POST', `/${id}/retry`, { ...REASON, signed_by: [another] })).status).toBe(202);
  const { actions } = (await api.send('GET', '/admin/v1/actions?limit=50', { key: api.operatorKey })).body;
  const detailsOf = (action: string) =>
    actions.find(
      (act: { action: string; details: { import?: string } }) => act.action === action && act.details.import === id,
    )?.details;
  expect(detailsOf('tenants.import')).toMatchObject({ signed_by: [expect.stringMatching(/./)] });
  expect(detailsOf('tenants.import_retry')).toMatchObject({ signed_by: [readVerifierKey(another)] });
});
