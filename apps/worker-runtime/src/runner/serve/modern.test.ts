import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RunnerProcess } from '../runner-process.fixture.js';
import { modern, request, THINGS } from './serve.fixture.js';

let runner: RunnerProcess;
beforeAll(async () => {
  runner = await RunnerProcess.serving({ things__: THINGS, more__: { ...THINGS, server: { name: 'more' } } });
});
afterAll(() => runner.stop());

const getThing = (id: number, thing = 'a'): object =>
  modern(id, 'tools/call', { name: 'things__get_thing', arguments: { id: thing } });
const mirrored = (thing = 'a') => ({ parameterHeaders: { 'mcp-param-thing': thing } });

describe('a request of the 2026 era', () => {
  test('discovers the server: its modern versions, its capabilities, its name', async () => {
    const { message } = await runner.ask(modern(1, 'server/discover'));
    expect(message.result).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      ttlMs: expect.any(Number),
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'things + more' } },
    });
  });

  test('M-23, M-24: lists the tools of every mount under its prefix, private and in the order of the release', async () => {
    const { message } = await runner.ask(modern(1, 'tools/list'));
    expect(message.result).toMatchObject({ resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' });
    const names = message.result.tools.map((tool: { name: string }) => tool.name);
    expect(names).toEqual(['things__get_thing', 'things__put_thing', 'more__get_thing', 'more__put_thing']);
  });

  test('calls a tool and answers a complete result', async () => {
    const s = runner.post(getThing(1), mirrored());
    runner.answerFetch(await runner.nextFetch(), 200, { 'content-type': 'text/plain' }, 'here');
    const { message, end } = await runner.reply(s);
    expect(message.result).toMatchObject({ resultType: 'complete', content: [{ type: 'text', text: 'here' }] });
    expect(end).toMatchObject({ outcome: 'ok' });
  });

  test('needs no earlier request, and keeps equal ids of overlapping requests apart', async () => {
    const first = runner.post(getThing(0, 'one'), mirrored('one'));
    const firstFetch = await runner.nextFetch();
    const second = runner.post(getThing(0, 'two'), mirrored('two'));
    const secondFetch = await runner.nextFetch();
    runner.answerFetch(secondFetch, 200, { 'content-type': 'text/plain' }, 'two');
    runner.answerFetch(firstFetch, 200, { 'content-type': 'text/plain' }, 'one');
    expect((await runner.reply(first)).message.result.content[0]?.text).toBe('one');
    expect((await runner.reply(second)).message.result.content[0]?.text).toBe('two');
  });

  test.each([
    ['tools/call', { arguments: {} }, 'needs `name`'],
    ['tools/call', { name: 'things__get_thing', arguments: null }, '`arguments` must be an object'],
    ['tools/call', { name: 'things__get_thing', arguments: [] }, '`arguments` must be an object'],
    ['tools/list', { cursor: 'made up' }, 'without a cursor'],
  ])('answers %s with %j in words that an agent can correct itself by', async (method, params, words) => {
    const { message, end } = await runner.ask(modern(7, method, params));
    expect(message).toMatchObject({ id: 7, error: { code: -32602, message: expect.stringContaining(words) } });
    expect(end).toMatchObject({ outcome: 'protocol_error' });
  });

  test.each([
    ['is missing', undefined],
    ['says something else', { 'mcp-param-thing': 'b' }],
    ['is not valid Base64', { 'mcp-param-thing': '=?base64?%%?=' }],
  ])('refuses a mirrored argument whose header %s', async (_, parameterHeaders) => {
    const { end } = await runner.ask(getThing(1), parameterHeaders === undefined ? {} : { parameterHeaders });
    expect(end).toMatchObject({ t: 'fail', failure: { code: 'header_mismatch' } });
  });

  test('takes a mirrored argument in its Base64 form', async () => {
    const thing = 'Ä ';
    const header = `=?base64?${Buffer.from(thing).toString('base64')}?=`;
    const s = runner.post(getThing(1, thing), mirrored(header));
    runner.answerFetch(await runner.nextFetch(), 204, {}, '');
    expect((await runner.reply(s)).end).toMatchObject({ outcome: 'ok' });
  });

  test.each(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'prompts/list', 'no/such'])(
    'has no method %s',
    async (method) => {
      expect((await runner.ask(modern(1, method))).end).toMatchObject({
        t: 'fail',
        failure: { code: 'method_not_found' },
      });
    },
  );

  test('refuses a version nobody speaks with -32022 and those it speaks', async () => {
    const { message } = await runner.ask(modern(1, 'tools/list', {}, '2099-01-01'));
    expect(message.error).toMatchObject({ code: -32022, data: { supported: ['2026-07-28'], requested: '2099-01-01' } });
  });

  test('refuses a request without the metadata it must carry', async () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    const { message } = await runner.ask(request(1, 'tools/list', { _meta }));
    expect(message.error.code).toBe(-32602);
  });

  test('answers an unknown tool with -32602 and the nearest name', async () => {
    const { message } = await runner.ask(modern(1, 'tools/call', { name: 'things__put_think' }));
    expect(message.error).toMatchObject({ code: -32602, message: expect.stringContaining('"things__put_thing"') });
  });

  test('aborts the upstream request when the caller leaves', async () => {
    const s = runner.post(getThing(1), mirrored());
    const fetch = await runner.nextFetch();
    runner.send({ t: 'cancel', s });
    await runner.next(({ header }) => header.t === 'fetch-abort' && header.f === fetch.header.f);
    expect((await runner.reply(s)).end).toMatchObject({ t: 'done', outcome: 'cancelled' });
  });

  test('accepts a notification without an answer', async () => {
    const { message, end } = await runner.ask({ jsonrpc: '2.0', method: 'notifications/whatever' });
    expect(message).toBeUndefined();
    expect(end).toMatchObject({ t: 'done', outcome: 'ok' });
  });
});
