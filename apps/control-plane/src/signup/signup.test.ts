import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api.stop());

const person = (slug: string, changes: Record<string, unknown> = {}) => ({
  tenant_name: 'Acme',
  slug,
  email: `${slug}@example.com`,
  password: 'correct horse battery',
  ...changes,
});

const signUp = (body: unknown) => api.send('POST', '/v1/signup', { body });

test('one call gives a tenant, its URLs and a key that works', async () => {
  const answer = await signUp(person('acme'));
  expect(answer).toMatchObject({
    status: 201,
    body: {
      tenant: { slug: 'acme', name: 'Acme', plan: 'free', status: 'active' },
      urls: { mcp: 'http://localhost:4000/t/acme/mcp', management_api: 'http://localhost:4000/v1' },
      api_key: { scopes: ['management', 'mcp'] },
    },
  });
  const tenant = await api.send('GET', '/v1/tenant', { key: answer.body.api_key.text });
  expect(tenant).toMatchObject({ status: 200, body: { tenant: answer.body.tenant, limits: { servers_max: 10 } } });
});

test('signing up leaves its records', async () => {
  const { body } = await signUp(person('recorded'));
  const audit = await api.send('GET', '/v1/audit', { key: body.api_key.text });
  expect(audit.body.records.map((record: { event: string }) => record.event).toSorted()).toEqual([
    'api_key.created',
    'api_key.used',
    'member.added',
    'tenant.created',
  ]);
  expect(audit.text).not.toContain('correct horse');
});

test('a taken slug is a conflict and leaves nothing behind', async () => {
  await signUp(person('taken'));
  const answer = await signUp(person('taken', { email: 'second@example.com' }));
  expect(answer).toMatchObject({ status: 409, body: { code: 'conflict', detail: expect.stringContaining('taken') } });
  expect(
    (await signUp(person('free-again', { email: 'second@example.com', password: 'another password' }))).status,
  ).toBe(201);
});

test('of many sign-ups for one slug at once exactly one succeeds', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => signUp(person('race', { email: `racer${index}@example.com` }))),
  );
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
});

test('a person opens a second tenant with the same password and a confirmed address, and nobody does without', async () => {
  await signUp(person('first', { email: 'both@example.com' }));
  const early = await signUp(person('early', { email: 'both@example.com' }));
  expect(early).toMatchObject({ status: 409, body: { detail: expect.stringContaining('not confirmed yet') } });
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const mails = await owner.query(`select 1 from mail_outbox`);
  const tokens = await owner.query(
    `select 1 from account_tokens join accounts on id = account_id
     where email = 'both@example.com' and purpose = 'verify_email'`,
  );
  expect(mails.rowCount).toBeGreaterThan(0);
  expect(tokens.rowCount).toBe(1);
  await owner.query(`update accounts set email_verified_at = now() where email = 'both@example.com'`);
  await owner.end();
  expect((await signUp(person('stolen', { email: 'Both@Example.com', password: 'not that password' }))).status).toBe(
    409,
  );
  expect((await signUp(person('second', { email: 'Both@Example.com' }))).status).toBe(201);
});

test('a taken slug is answered the same whoever asks, so that it says nothing of an e-mail address', async () => {
  await signUp(person('held', { email: 'holder@example.com' }));
  const answers = [];
  for (const changes of [
    { email: 'holder@example.com' },
    { email: 'holder@example.com', password: 'not that password' },
    { email: 'nobody-yet@example.com' },
  ]) {
    answers.push(await signUp(person('held', changes)));
  }
  expect(answers.map((answer) => answer.status)).toEqual([409, 409, 409]);
  expect(new Set(answers.map(({ text, body }) => text.replace(body.request_id, 'its id'))).size).toBe(1);
  expect(answers[0]?.body.detail).toContain('The slug held is taken');
});

test('a refused password leaves neither a tenant nor its slug behind', async () => {
  await signUp(person('guarded'));
  const wrong = { email: 'guarded@example.com', password: 'not that password' };
  expect((await signUp(person('unspent', wrong))).status).toBe(409);
  expect((await signUp(person('unspent'))).status).toBe(201);
});

test.each([
  ['a reserved slug', { slug: 'admin' }, '/slug'],
  ['an encoded host name', { slug: 'xn--80ak6aa92e' }, '/slug'],
  ['a slug with a dot', { slug: 'a.b' }, '/slug'],
  ['a slug that ends in a hyphen', { slug: 'acme-' }, '/slug'],
  ['a slug of 64 characters', { slug: 'a'.repeat(64) }, '/slug'],
  ['a slug that is written like an id', { slug: '0198c0de-0000-7000-8000-00000000000a' }, '/slug'],
  ['one without hyphens', { slug: '0198c0de00007000800000000000000a' }, '/slug'],
  ['a short password', { password: 'elevenchars' }, '/password'],
  ['a password of 129 characters', { password: 'x'.repeat(129) }, '/password'],
  ['no e-mail address', { email: 'nobody' }, '/email'],
  ['an address that is nobody’s', { email: 'lost@lost.invalid' }, '/email'],
  ['an unknown field', { role: 'owner' }, '/role'],
  ['a name that hides its direction', { tenant_name: 'Acme\u202e' }, '/tenant_name'],
])('refuses %s and says where', async (_, changes, pointer) => {
  const answer = await signUp(person('shape', changes));
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  expect(answer.body.errors.map((problem: { pointer: string }) => problem.pointer)).toContain(pointer);
});
