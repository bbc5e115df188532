import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import { saveConnection, sealClient, type UpstreamClient } from '#libs/connections';
import { Database, newId } from '#libs/database';
import { TenantVault } from '#libs/secrets';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { manifestOf } from '../manifest.fixture.js';
import { modern, POST_HEADERS, send, type Answer } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

const CONNECTOR = newId();
const client: UpstreamClient = {
  issuer: 'https://upstream.test',
  authorizationEndpoint: 'https://upstream.test/authorize',
  tokenEndpoint: 'https://upstream.test/token',
  issuerInAnswers: false,
  scopes: [],
  clientId: 'c',
  method: 'none',
};

let gateway: GatewayUnderTest;
let replica: string;
let acme: TenantUnderTest;
let upstream: Listening;
let owner: Client;
let auth: Database;
/** The `Authorization` of each request that the upstream had. */
const heard: Array<string | undefined> = [];

beforeAll(async () => {
  upstream = await listen((request, response) => {
    heard.push(request.headers.authorization);
    response.setHeader('content-type', 'application/json').end('{"mail":"two letters"}');
  });
  gateway = await GatewayUnderTest.start();
  replica = await gateway.replica();
  auth = await Database.connect({ ...gateway.store, role: 'wharf_auth', poolSize: 1 });
  owner = new Client({ connectionString: gateway.store.databaseUrl });
  await owner.connect();
  acme = await gateway.tenant('acme', {});
  await gateway.allow(acme, upstream);
  await publishMail();
  await gateway.control.asTenant(acme.id, async (tx) => {
    const vault = new TenantVault(gateway.store.masterKey);
    const { dataKeyId, ciphertext } = await sealClient(tx, vault, { tenantId: acme.id, id: CONNECTOR }, client);
    await tx.query(
      `insert into connectors (tenant_id, id, name, title, settings, issuer, origins, client_data_key_id, client_ciphertext)
       values ($1, $2, 'mailbox', 'Mailbox', '{}', $3, $4, $5, $6)`,
      [acme.id, CONNECTOR, client.issuer, [upstream.origin], dataKeyId, ciphertext],
    );
  });
});
beforeEach(() => {
  heard.length = 0;
});
afterAll(async () => {
  await Promise.all([auth.close(), owner.end()]);
  await gateway.stop();
  await upstream.close();
});

/** Publishes a tool that acts with the login of the person who calls. */
async function publishMail(description?: string): Promise<void> {
  const { tools } = manifestOf('mail', { mailbox: `${upstream.origin}/mailbox` });
  const own = tools.map((tool) => ({
    ...tool,
    ...(description === undefined ? {} : { description }),
    http: { ...tool.http, credentials: ['mail'] },
  }));
  const connections = [{ id: 'mail', connector: 'mailbox', origins: [upstream.origin] }];
  await gateway.publish(acme.id, 'mail', { mailbox: `${upstream.origin}/mailbox` }, { connections, tools: own });
}

interface Person {
  readonly accountId: string;
  readonly token: string;
}

/** A member of the tenant, and a token of theirs for the server. */
async function newPerson(): Promise<Person> {
  const accountId = newId();
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, $2, 'h')`, [accountId, accountId]);
  await owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [acme.id, accountId]);
  return { accountId, token: await gateway.token(acme, `${gateway.origin}/t/acme/mail/mcp`, { sub: accountId }) };
}

/** Does what the connector's page does when a person has logged in. */
async function logIn({ accountId }: Person): Promise<void> {
  const granted = { client, origins: [upstream.origin], accessToken: `token-of-${accountId}` };
  const key = { tenantId: acme.id, connectorId: CONNECTOR, accountId };
  await auth.asTenant(acme.id, (tx) => saveConnection(tx, new TenantVault(gateway.store.masterKey), key, granted));
}

function call(token: string, params: object = {}, at = gateway.origin): Promise<Answer> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } },
  };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'mailbox' };
  const asked = { name: 'mailbox', arguments: {}, ...params, _meta };
  return send(`${at}/t/acme/mail/mcp`, {
    headers: { ...POST_HEADERS, ...headers, host: new URL(gateway.origin).host, authorization: `Bearer ${token}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: asked }),
  });
}

/** Whether the list of tools has this text. */
async function lists(token: string, text: string): Promise<boolean> {
  const { headers, body } = modern('tools/list');
  const url = `${gateway.origin}/t/acme/mail/mcp`;
  const listed = await send(url, { headers: { ...headers, authorization: `Bearer ${token}` }, body });
  return listed.text.includes(text);
}

/** The answer to the question that a call was answered with. */
async function answered(token: string): Promise<{ readonly requestState: string; readonly inputResponses: object }> {
  const { json } = await call(token);
  expect(json.result ?? json).toMatchObject({ resultType: 'input_required', inputRequests: { login: {} } });
  return { requestState: json.result.requestState, inputResponses: { login: { action: 'accept' } } };
}

const refusedAsOver = { code: -32_602, data: { reason: 'call_not_waiting' } };

test('a call that waited for a login is made again at another gateway, after its worker-runtime was replaced', async () => {
  const person = await newPerson();
  const { accountId, token } = person;
  const again = await answered(token);
  expect(heard).toEqual([]);
  await gateway.replaceRuntime();
  for (const at of [replica, gateway.origin])
    await until(async () => (await call(token, {}, at)).text.includes('input_required'), 'the new runtime is reached');
  await logIn(person);
  const { json } = await call(token, again, replica);
  expect(JSON.stringify(json)).toContain('two letters');
  expect(heard.splice(0)).toEqual([`Bearer token-of-${accountId}`]);
  for (const at of [replica, gateway.origin])
    expect((await call(token, again, at)).json.error).toMatchObject(refusedAsOver);
  expect(heard).toEqual([]);
});

test('a state is good for its principal, its request and its release alone, and in no other spelling', async () => {
  const [ann, bob] = [await newPerson(), await newPerson()];
  const again = await answered(ann.token);
  await logIn(ann);
  await logIn(bob);
  const { requestState } = again;
  const altered = `${requestState.slice(0, -2)}${requestState.endsWith('AA') ? 'BB' : 'AA'}`;
  for (const [token, params] of [
    [bob.token, again],
    [ann.token, { ...again, arguments: { text: 'other' } }],
    [ann.token, { ...again, requestState: altered }],
    [ann.token, { ...again, requestState: 'wharf-login.' }],
    [ann.token, { ...again, requestState: `wharf-login.${'A'.repeat(100_000)}` }],
  ] as const)
    expect((await call(token, params)).json.error).toMatchObject(refusedAsOver);
  expect(heard).toEqual([]);
  expect(JSON.stringify((await call(ann.token, again)).json)).toContain('two letters');
  expect((await call(ann.token, { ...again, requestState: `${requestState}==` })).json.error).toMatchObject(
    refusedAsOver,
  );
  expect(heard.splice(0)).toHaveLength(1);
});

test('a state that is ten minutes old, or of a release before, runs nothing', async () => {
  const person = await newPerson();
  const { accountId, token } = person;
  const [late, before] = [await answered(token), await answered(token)];
  await logIn(person);
  const now = Date.now();
  const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 601_000);
  const tooLate = await call(await gateway.token(acme, `${gateway.origin}/t/acme/mail/mcp`, { sub: accountId }), late);
  clock.mockRestore();
  expect(tooLate.json.error).toMatchObject(refusedAsOver);
  await publishMail('Another one.');
  await until(() => lists(token, 'Another one.'), 'the gateway to have heard of the release');
  expect((await call(token, before)).json.error).toMatchObject(refusedAsOver);
  expect(heard).toEqual([]);
});

test('a person who says no runs nothing, and is not asked again by the same call', async () => {
  const person = await newPerson();
  const { token } = person;
  const again = await answered(token);
  await logIn(person);
  const { json } = await call(token, { ...again, inputResponses: { login: { action: 'decline' } } });
  expect(json.result).toMatchObject({ isError: true });
  expect(heard).toEqual([]);
});
