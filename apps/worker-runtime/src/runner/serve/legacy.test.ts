import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RunnerProcess } from '../runner-process.fixture.js';
import { initialize, inSession, request, THINGS } from './serve.fixture.js';

let runner: RunnerProcess;
beforeAll(async () => {
  runner = await RunnerProcess.serving({ '': THINGS });
});
afterAll(() => runner.stop());

const session = inSession('main');
const getThing = (id: number, thing = 'a'): object =>
  request(id, 'tools/call', { name: 'get_thing', arguments: { id: thing } });

describe('a session of the 2025 era', () => {
  test.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])(
    'speaks %s when the client asks for it',
    async (version) => {
      const { message } = await initialize(runner, `v${version}`, version);
      expect(message.result).toMatchObject({
        protocolVersion: version,
        capabilities: { tools: {} },
        serverInfo: { name: 'things', title: 'Things' },
        instructions: 'Keeps things.',
      });
    },
  );

  test('offers its newest version to a client that asks for one nobody knows', async () => {
    const { message } = await initialize(runner, 'unknown-version', '1999-01-01');
    expect(message.result.protocolVersion).toBe('2025-11-25');
  });

  test('refuses an initialize without its parameters', async () => {
    const { end } = await runner.ask(request(1, 'initialize', {}), inSession('incomplete'));
    expect(end).toMatchObject({ t: 'fail', failure: { code: 'invalid_params' } });
  });

  test('answers ping and lists tools word for word as the release has them', async () => {
    await initialize(runner, 'main');
    expect((await runner.ask(request(1, 'ping'), session)).message).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    const { message, end } = await runner.ask(request(2, 'tools/list'), session);
    const shown = THINGS.tools.map(({ http: _, ...tool }) => tool);
    expect(message.result.tools).toEqual(shown);
    expect(end).toEqual({ t: 'done', s: expect.any(Number), outcome: 'ok' });
  });

  test('calls a tool through egress and answers with its text', async () => {
    const s = runner.post(getThing(3, 'a b/c'), session);
    const fetch = await runner.nextFetch();
    expect(fetch.header).toMatchObject({
      s,
      tool: 'get_thing',
      method: 'GET',
      url: 'https://api.example.com/things/a%20b%2Fc',
    });
    runner.answerFetch(fetch, 200, { 'content-type': 'application/json' }, '{"a":1}');
    const { message } = await runner.reply(s);
    expect(message).toEqual({ jsonrpc: '2.0', id: 3, result: { content: [{ type: 'text', text: '{"a":1}' }] } });
  });

  test('answers methods nobody offers with -32601 and unknown tools with -32602', async () => {
    const unknown = await runner.ask(request(4, 'prompts/list'), session);
    expect(unknown.message.error.code).toBe(-32601);
    const missing = await runner.ask(request(5, 'tools/call', { name: 'get_thin' }), session);
    expect(missing.message.error).toMatchObject({
      code: -32602,
      message: expect.stringContaining('Did you mean "get_thing"?'),
    });
  });

  test('aborts the upstream request of a call that the client cancels, and never answers it', async () => {
    const s = runner.post(getThing(6), session);
    const fetch = await runner.nextFetch();
    const cancelling = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 6 } };
    expect((await runner.ask(cancelling, session)).end).toMatchObject({ t: 'done', outcome: 'ok' });
    await runner.next(({ header }) => header.t === 'fetch-abort' && header.f === fetch.header.f);
    const { message, end } = await runner.reply(s);
    expect(message).toBeUndefined();
    expect(end).toMatchObject({ t: 'done', outcome: 'cancelled' });
  });

  test('aborts the upstream request of a call whose caller left', async () => {
    const s = runner.post(getThing(7), session);
    const fetch = await runner.nextFetch();
    runner.send({ t: 'cancel', s });
    await runner.next(({ header }) => header.t === 'fetch-abort' && header.f === fetch.header.f);
    expect((await runner.reply(s)).end).toMatchObject({ t: 'done', outcome: 'cancelled' });
  });

  test('keeps the same request id of two sessions apart', async () => {
    await initialize(runner, 'twin');
    const first = runner.post(getThing(0, 'one'), session);
    const firstFetch = await runner.nextFetch();
    const second = runner.post(getThing(0, 'two'), inSession('twin'));
    const secondFetch = await runner.nextFetch();
    runner.answerFetch(secondFetch, 200, { 'content-type': 'text/plain' }, 'two');
    expect((await runner.reply(second)).message.result.content[0]?.text).toBe('two');
    runner.answerFetch(firstFetch, 200, { 'content-type': 'text/plain' }, 'one');
    expect((await runner.reply(first)).message.result.content[0]?.text).toBe('one');
  });

  test('refuses a request whose id is already running, sessions that do not exist and messages without a session', async () => {
    const s = runner.post(getThing(8), session);
    const fetch = await runner.nextFetch();
    expect((await runner.ask(getThing(8), session)).end).toMatchObject({
      t: 'fail',
      failure: { code: 'invalid_request' },
    });
    runner.answerFetch(fetch, 204, {}, '');
    await runner.reply(s);
    expect((await runner.ask(getThing(9), inSession('nobody'))).end).toMatchObject({
      t: 'fail',
      failure: { code: 'session_not_found' },
    });
    expect((await runner.ask(getThing(9), { era: 'legacy' })).end).toMatchObject({
      t: 'fail',
      failure: { code: 'session_required' },
    });
  });

  test('ends its stream and its calls when it is closed, and is gone afterwards', async () => {
    await initialize(runner, 'closing');
    const stream = runner.post(undefined, { ...inSession('closing'), operation: 'listen' });
    const call = runner.post(getThing(1), inSession('closing'));
    await runner.nextFetch();
    expect((await runner.ask(undefined, { ...inSession('closing'), operation: 'close' })).end).toMatchObject({
      t: 'done',
      outcome: 'ok',
    });
    expect((await runner.reply(stream)).end).toMatchObject({ t: 'done', outcome: 'ok' });
    expect((await runner.reply(call)).end).toMatchObject({ t: 'done', outcome: 'cancelled' });
    expect((await runner.ask(request(2, 'ping'), inSession('closing'))).end).toMatchObject({
      t: 'fail',
      failure: { code: 'session_not_found' },
    });
  });

  test.each([
    ['2025-03-26', { t: 'done', outcome: 'ok' }],
    ['2025-06-18', { t: 'fail', failure: { code: 'invalid_request', message: expect.stringContaining('2025-06-18') } }],
    ['2024-11-05', { t: 'fail', failure: { code: 'invalid_request' } }],
  ])('takes the messages of a batch as a session of its version may send them: %s', async (version, told) => {
    await initialize(runner, `batches-${version}`, version);
    const batched = { ...inSession(`batches-${version}`), batched: true } as const;
    expect((await runner.ask(request(1, 'ping'), batched)).end).toMatchObject(told);
    expect((await runner.ask(request(2, 'ping'), inSession(`batches-${version}`))).end).toMatchObject({ t: 'done' });
  });

  test('refuses what is no JSON-RPC message, batches and messages nested without end', async () => {
    const code = async (text: string) => (await runner.ask(text, session)).end;
    expect(await code('{')).toMatchObject({ failure: { code: 'malformed_json' } });
    expect(await code('{"a":1}')).toMatchObject({ failure: { code: 'invalid_request' } });
    expect(await code('[{"jsonrpc":"2.0","id":1,"method":"ping"}]')).toMatchObject({
      failure: { code: 'invalid_request' },
    });
    expect(
      await code(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`),
    ).toMatchObject({ failure: { code: 'invalid_request' } });
  });
});
