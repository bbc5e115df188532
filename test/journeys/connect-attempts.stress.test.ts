import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectAgent, startUpstream, type Upstream } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';
import { expiredToken } from './expired-token.js';
import { ScriptedAgent, type Script } from './scripted-agent.js';
import { openTestShop, type TestShop } from './shop.js';

interface Attempt {
  readonly url: string;
  readonly agent: string;
  readonly client: string | null;
  readonly state: string;
  readonly stopped_at: { readonly step: string; readonly rule: string | null; readonly advice: string } | null;
  readonly steps: ReadonlyArray<{ readonly step: string; readonly rule: string | null; readonly times: number }>;
}

let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
let twin: TestShop;
beforeAll(async () => {
  [wharf, upstream] = await Promise.all([startWharf(), startUpstream()]);
  [shop, twin] = await Promise.all([
    openTestShop(wharf, upstream, 'doctor'),
    openTestShop(wharf, upstream, 'doctor-twin'),
  ]);
});
afterAll(async () => {
  await Promise.all([wharf.stop(), upstream.stop()]);
});

async function read(of: TestShop, path = ''): Promise<Response> {
  return fetch(`${wharf.url}/v1/servers/books/connect-attempts${path}`, {
    headers: { authorization: `Bearer ${of.apiKey.text}` },
  });
}

async function attemptsOf(of: TestShop): Promise<Attempt[]> {
  const { attempts }: { attempts: Attempt[] } = JSON.parse(await (await read(of)).text());
  return attempts;
}

/** The first attempt that fits, as soon as it is written. */
async function found(of: TestShop, fits: (attempt: Attempt) => boolean): Promise<Attempt> {
  return until(async () => (await attemptsOf(of)).find(fits), 'the attempt');
}

const stoppedAt = (program: string, rule: string) => (attempt: Attempt) =>
  attempt.agent === program && attempt.stopped_at?.rule === rule;
const stepsOf = (attempt: Attempt) => attempt.steps.filter(({ rule }) => rule === null).map(({ step }) => step);

/** Services write their steps in batches of their own, so that an attempt is whole only after a while. */
const withSteps = (steps: readonly string[]) => (attempt: Attempt) =>
  steps.every((step) => stepsOf(attempt).includes(step));

const BEFORE_AUTHORIZE = ['challenge', 'resource_metadata', 'server_metadata', 'registration'];

describe('an agent with one thing wrong is shown with the step and rule at which it stopped', () => {
  const cases: ReadonlyArray<[string, string, string, Omit<Script, 'program'>]> = [
    [
      'an unregistered redirect URI',
      'authorize',
      'redirect_uri_unregistered',
      { authorization: (url) => url.searchParams.set('redirect_uri', 'https://evil.example/callback') },
    ],
    [
      'no PKCE',
      'authorize',
      'pkce_missing',
      {
        authorization: (url) => {
          url.searchParams.delete('code_challenge');
          url.searchParams.delete('code_challenge_method');
        },
      },
    ],
    [
      'plain PKCE',
      'authorize',
      'pkce_not_s256',
      { authorization: (url) => url.searchParams.set('code_challenge_method', 'plain') },
    ],
    [
      'a resource that is none of ours',
      'authorize',
      'resource_unknown',
      { authorization: (url) => url.searchParams.set('resource', `${wharf.url}/t/nobody-here/mcp`) },
    ],
    ['no resource', 'authorize', 'resource_missing', { authorization: (url) => url.searchParams.delete('resource') }],
    ['a consent that is refused', 'consent', 'consent_refused', { answer: 'deny' }],
    ['a wrong verifier', 'token', 'verifier_wrong', { tokenForm: (form) => form.set('code_verifier', 'x'.repeat(43)) }],
    ['an unknown code', 'token', 'code_invalid', { tokenForm: (form) => form.set('code', 'made-up') }],
  ];
  test.each(cases)('%s: %s, %s', async (_, step, rule, script) => {
    const program = `agent-${rule.replaceAll('_', '-')}/1.0`;
    await expect(new ScriptedAgent(shop.owner, { ...script, program }).run(shop.serverUrl)).rejects.toThrow();
    const stopped = stoppedAt(program, rule);
    const whole = withSteps(BEFORE_AUTHORIZE);
    const attempt = await found(shop, (one) => stopped(one) && whole(one));
    expect([attempt.state, attempt.stopped_at?.step]).toEqual(['refused', step]);
    expect(attempt.stopped_at?.advice).toMatch(/\w+.*[.;]/);
    expect(attempt.url).toBe(shop.serverUrl);
  });

  test('a redirect URI that cannot be registered: registration, registration_redirect_uri', async () => {
    const program = 'agent-evil-uri/1.0';
    const agent = new ScriptedAgent(shop.owner, { program, redirectUri: 'http://192.168.1.2/callback' });
    await expect(agent.run(shop.serverUrl)).rejects.toThrow();
    const stopped = stoppedAt(program, 'registration_redirect_uri');
    const steps = ['challenge', 'resource_metadata', 'server_metadata'];
    const attempt = await found(shop, (one) => stopped(one) && withSteps(steps)(one));
    expect(stepsOf(attempt)).toEqual(steps);
  });

  test('an unknown client: authorize, client_unknown', async () => {
    const authorization = (url: URL): void => url.searchParams.set('client_id', 'client_AAAAAAAAAAAAAAAAAAAAAA');
    const agent = new ScriptedAgent(shop.owner, { program: 'agent-unknown/1.0', authorization });
    await expect(agent.run(shop.serverUrl)).rejects.toThrow();
    const attempt = await found(shop, ({ stopped_at: stop }) => stop?.rule === 'client_unknown');
    expect(attempt.client).toBe('client_AAAAAAAAAAAAAAAAAAAAAA');
  });
});

describe('a request with a credential that does not do', () => {
  const send = (program: string, bearer: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(shop.serverUrl, {
      method: 'POST',
      headers: {
        'user-agent': program,
        authorization: `Bearer ${bearer}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });

  test('an expired token: connect, token_expired', async () => {
    const answer = await send('expired/1.0', await expiredToken(wharf, 'doctor', shop.serverUrl));
    expect(answer.status).toBe(401);
    const attempt = await found(shop, stoppedAt('expired/1.0', 'token_expired'));
    expect(attempt.stopped_at?.step).toBe('connect');
  });

  test('a token for another URL: connect, token_wrong_audience', async () => {
    const { accessToken, close } = await connectAgent({ url: shop.tenantUrl, ...shop.owner });
    await close();
    expect((await send('elsewhere/1.0', accessToken)).status).toBe(401);
    await found(shop, stoppedAt('elsewhere/1.0', 'token_wrong_audience'));
  });

  test('no Accept for streams: connect, accept_missing', async () => {
    const answer = await send('no-accept/1.0', shop.apiKey.text, { accept: 'application/json' });
    expect(answer.status).toBe(406);
    await found(shop, stoppedAt('no-accept/1.0', 'accept_missing'));
  });

  test('an unknown API key, and a credential in the URL', async () => {
    await send('bad-key/1.0', 'whk_nothing');
    await found(shop, stoppedAt('bad-key/1.0', 'api_key_unknown'));
    await fetch(`${shop.serverUrl}?access_token=x`, { method: 'POST', headers: { 'user-agent': 'in-url/1.0' } });
    await found(shop, stoppedAt('in-url/1.0', 'credential_in_query'));
  });
});

describe('an agent that succeeds', () => {
  test('is shown as connected, every step in order, without secrets', async () => {
    const program = 'good-agent/2.1';
    const agent = new ScriptedAgent(shop.owner, { program });
    expect((await agent.run(shop.serverUrl)).length).toBeGreaterThan(0);
    const steps = [...BEFORE_AUTHORIZE, 'authorize', 'login', 'consent', 'token', 'connect', 'list'];
    const attempt = await found(shop, (one) => one.agent === program && withSteps(steps)(one));
    expect(attempt.state).toBe('connected');
    expect(stepsOf(attempt)).toEqual(steps);
    expect(attempt.client).toBe(agent.clientInformation()?.client_id);
    const text = await (await read(shop)).text();
    for (const secret of [
      agent.tokens()?.access_token,
      agent.tokens()?.refresh_token,
      agent.codeVerifier(),
      agent.callback?.searchParams.get('code'),
      shop.owner.email,
      '127.0.0.1',
      '::1',
    ]) {
      expect(text).not.toContain(String(secret));
    }
  });

  test('can be read as a page of plain text', async () => {
    const answer = await read(shop, '/report');
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(text).toMatch(/CONNECTED {2}good-agent\/2\.1/);
    expect(text).toMatch(/NO {2}.*opened the sign-in page: pkce_missing\n {2}What to do: .*S256/);
  });
});

describe('another tenant', () => {
  test('sees nothing of it, and steps of a visitor who was at both are shown to neither', async () => {
    expect(await attemptsOf(twin)).toEqual([]);
    const program = { 'user-agent': 'both/1.0' };
    await fetch(shop.serverUrl, { method: 'POST', headers: program });
    await fetch(twin.serverUrl, { method: 'POST', headers: program });
    await fetch(`${wharf.url}/.well-known/oauth-authorization-server/auth`, { headers: program });
    const later = { 'user-agent': 'later/1.0' };
    await fetch(twin.serverUrl, { method: 'POST', headers: later });
    await fetch(`${wharf.url}/.well-known/oauth-authorization-server/auth`, { headers: later });
    await found(twin, (one) => one.agent === 'later/1.0' && stepsOf(one).includes('server_metadata'));
    const ofBoth = [...(await attemptsOf(shop)), ...(await attemptsOf(twin))].filter(
      ({ agent }) => agent === 'both/1.0',
    );
    expect(ofBoth.map(stepsOf)).toEqual([['challenge'], ['challenge']]);
  });

  test('is given the words of what does not exist', async () => {
    const unknown = await fetch(`${wharf.url}/v1/servers/never/connect-attempts`, {
      headers: { authorization: `Bearer ${twin.apiKey.text}` },
    });
    expect(unknown.status).toBe(404);
  });
});

test('one address adds only so many steps at a tenant', async () => {
  for (let visit = 0; visit < 200; visit += 1) {
    await fetch(twin.serverUrl, { method: 'POST', headers: { 'user-agent': `flood-${visit}/1.0` } });
  }
  await found(twin, ({ agent }) => agent === 'flood-50/1.0');
  expect((await attemptsOf(twin)).length).toBeLessThanOrEqual(120);
});
