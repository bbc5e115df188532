import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openStream } from '../events.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, POST_HEADERS } from '../requests.fixture.js';
import { LEAK, publishLeaky } from './leaky-server.fixture.js';

const REDACT = { max_bytes: null, personal_data: { kinds: ['email', 'credit_card'], action: 'redact' } };
const REFUSE = { max_bytes: null, personal_data: { kinds: ['email'], action: 'refuse' } };

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { unused: 'http://localhost:9/unused' });
  for (const era of ['modern', 'legacy'] as const) {
    await publishLeaky(gateway, acme.id, era, era);
    await publishLeaky(gateway, acme.id, `${era}-refused`, era);
  }
  await gateway.control.asTenant(acme.id, (tx) =>
    tx.query(
      `update servers set result_guard = case when slug like '%-refused' then $3::jsonb else $2::jsonb end
       where tenant_id = $1 and slug <> 'orders'`,
      [acme.id, JSON.stringify(REDACT), JSON.stringify(REFUSE)],
    ),
  );
});

afterAll(() => gateway.stop());

const urlOf = (server: string): string => acme.url.replace(/\/mcp$/, `/${server}/mcp`);
const key = (): Record<string, string> => ({ authorization: `Bearer ${acme.key}` });

/** Every message that a request is answered with, the final one last. */
async function messages(url: string, { headers, body }: ReturnType<typeof modern>): Promise<string[]> {
  const response = await fetch(url, { method: 'POST', headers: { ...headers, ...key() }, body });
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return [text];
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => line.slice(6));
}

function asked(server: string, method: string, params: Record<string, unknown>): Promise<string[]> {
  const { headers, body } = modern(method, params);
  const named = typeof params['uri'] === 'string' ? { 'mcp-name': params['uri'] } : {};
  return messages(urlOf(server), { headers: { ...headers, ...named }, body });
}

async function session(server: string, capabilities: object = {}) {
  const opening = legacy({ ...INITIALIZE, params: { ...INITIALIZE.params, capabilities } });
  const response = await fetch(urlOf(server), {
    ...opening,
    method: 'POST',
    headers: { ...opening.headers, ...key() },
  });
  await response.text();
  const id = response.headers.get('mcp-session-id') ?? '';
  await messages(urlOf(server), legacy({ method: 'notifications/initialized' }, id));
  return (method: string, params: Record<string, unknown>) =>
    messages(urlOf(server), legacy({ id: 2, method, params }, id));
}

const last = (all: readonly string[]) => JSON.parse(all.at(-1) ?? '{}');

/** What has a text of the person in it somewhere, in base64 too. */
const leaks = (all: readonly string[]): boolean =>
  all.join('\n').includes(LEAK) || all.join('\n').includes(Buffer.from(`bytes of ${LEAK}`).toString('base64'));

test.each(['modern', 'legacy'])(
  'a %s bundle’s texts, links, embedded resources, bytes and structured results',
  async (server) => {
    const ofSession = await session(server);
    for (const all of [
      await asked(server, 'tools/call', { name: 'everything', arguments: {} }),
      await ofSession('tools/call', { name: 'everything', arguments: {} }),
    ]) {
      expect(leaks(all)).toBe(false);
      const { content, structuredContent } = last(all).result;
      expect(content[0].text).toBe('text [email]');
      expect(content[1].name).toBe('link of [email]');
      expect(content[2].resource.text).toBe('embedded [email]');
      expect(Buffer.from(content[3].resource.blob, 'base64').toString()).toBe('bytes of [email]');
      // An image is not looked into, and stays as it is.
      expect([...Buffer.from(content[4].data, 'base64')]).toEqual([137, 80, 78, 71, 255, 254]);
      expect(structuredContent).toEqual({ person: { mail: '[email]', '[email]': 1, card: '[credit_card]' } });
    }
  },
);

test.each(['modern', 'legacy'])(
  'what a %s bundle reads, prompts, logs and tells of progress, and its errors',
  async (server) => {
    const ofSession = await session(server);
    for (const ask of [(...to: [string, Record<string, unknown>]) => asked(server, ...to), ofSession]) {
      const read = await ask('resources/read', { uri: 'note://1' });
      expect([leaks(read), last(read).result.contents[0].text]).toEqual([false, 'read [email]']);
      const prompt = await ask('prompts/get', { name: 'write' });
      expect([leaks(prompt), last(prompt).result.description]).toEqual([false, 'about [email]']);
      const failed = await ask('tools/call', { name: 'fails', arguments: {} });
      expect(leaks(failed)).toBe(false);
      expect(JSON.stringify(last(failed))).toContain('no such person [email]');
      const meta = { progressToken: 7, 'io.modelcontextprotocol/logLevel': 'debug' };
      await ofSession('logging/setLevel', { level: 'debug' });
      const streamed = await ask('tools/call', { name: 'streams', arguments: {}, _meta: meta });
      expect([leaks(streamed), last(streamed).result.content[0].text]).toEqual([false, 'streamed [email]']);
    }
    const progress = await ofSession('tools/call', { name: 'streams', arguments: {}, _meta: { progressToken: 7 } });
    expect(progress.join()).toContain('part [email]');
  },
);

/** What a question asks, and how it is answered. */
const QUESTIONS = [
  ['asks', { message: 'Is it [email]?' }, { action: 'accept', content: {} }],
  [
    'samples',
    {
      systemPrompt: 'You know [email]',
      messages: [{ role: 'user', content: { type: 'text', text: 'Who is [email]?' } }],
    },
    { role: 'assistant', model: 'm', content: { type: 'text', text: 'a model' } },
  ],
] as const;

test.each(QUESTIONS)(
  'a question (%s) is redacted, and put however strict the guard is; what follows is held to it',
  async (name, shown, answer) => {
    for (const server of ['legacy', 'legacy-refused']) {
      const capabilities = { elicitation: {}, sampling: {} };
      const opening = legacy({ ...INITIALIZE, params: { ...INITIALIZE.params, capabilities } });
      const opened = await fetch(urlOf(server), {
        ...opening,
        method: 'POST',
        headers: { ...opening.headers, ...key() },
      });
      await opened.text();
      const id = opened.headers.get('mcp-session-id') ?? '';
      await messages(urlOf(server), legacy({ method: 'notifications/initialized' }, id));
      const { headers, body } = legacy({ id: 3, method: 'tools/call', params: { name, arguments: {} } }, id);
      const stream = await openStream(urlOf(server), { ...POST_HEADERS, ...headers, ...key() }, body);
      const next = async () => {
        for (;;) {
          const event = await stream.next();
          if (event === undefined || event.data.startsWith('{')) return JSON.parse(event?.data ?? '{}');
        }
      };
      const question = await next();
      expect(question.params).toMatchObject(shown);
      expect(JSON.stringify(question)).not.toContain(LEAK);
      await messages(urlOf(server), legacy({ id: question.id, result: answer }, id));
      const { result } = await next();
      expect(JSON.stringify(result)).not.toContain(LEAK);
      expect(result.isError).toBe(server === 'legacy' ? undefined : true);
      stream.close();
    }
  },
);

test('a task’s state and result are held to the guard whenever they are asked for', async () => {
  const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
  const _meta = { 'io.modelcontextprotocol/clientCapabilities': capabilities };
  const begin = modern('tools/call', { name: 'begins', arguments: {} });
  const sent = JSON.parse(begin.body);
  Object.assign(sent.params._meta, _meta);
  const begun = await messages(urlOf('modern'), { headers: begin.headers, body: JSON.stringify(sent) });
  expect(leaks(begun)).toBe(false);
  const { taskId } = last(begun).result;
  const { headers, body } = modern('tasks/get', { taskId });
  const got = await messages(urlOf('modern'), { headers: { ...headers, 'mcp-name': taskId }, body });
  expect(leaks(got)).toBe(false);
  expect(JSON.stringify(last(got).result)).toContain('task of [email]');
});

test.each(['modern-refused', 'legacy-refused'])(
  '%s: nothing of a refused answer is given, and the log counts without naming',
  async (server) => {
    const ofSession = await session(server);
    for (const ask of [(...to: [string, Record<string, unknown>]) => asked(server, ...to), ofSession]) {
      const called = await ask('tools/call', { name: 'everything', arguments: {} });
      expect(last(called).result).toMatchObject({
        isError: true,
        content: [{ text: expect.stringContaining('withheld') }],
      });
      for (const [method, params] of [
        ['resources/read', { uri: 'note://1' }],
        ['prompts/get', { name: 'write' }],
      ] as const) {
        const all = await ask(method, params);
        expect([leaks(all), last(all).error?.code]).toEqual([false, -31006]);
      }
      const streamed = await ask('tools/call', { name: 'streams', arguments: {}, _meta: { progressToken: 8 } });
      expect([leaks([...called, ...streamed]), last(streamed).result.isError]).toEqual([false, true]);
    }
    const record = await gateway.audited(acme, ({ details }) => {
      const { action, found } = Object(details['result_guard']);
      return action === 'refused' && found?.email > 3;
    });
    expect(JSON.stringify(record)).not.toContain(LEAK);
    const rows: Array<{ text: string }> = await gateway.control.asTenant(acme.id, (tx) =>
      tx.query(`select r::text as text from audit_records r where tenant_id = $1`, [acme.id]),
    );
    expect(rows.filter(({ text }) => text.includes(LEAK))).toEqual([]);
  },
);
