import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RunnerProcess, type Reply } from '../runner-process.fixture.js';
import { initialize, inSession, modern, request, THINGS } from './serve.fixture.js';

let runner: RunnerProcess;
beforeEach(async () => {
  runner = await RunnerProcess.serving({ '': THINGS });
  await initialize(runner, 'one');
});
afterEach(() => runner.stop());

const put = { name: 'put_thing', arguments: { name: 'x' } };
/** An answer's text without its id, and how its exchange ended. */
const withoutId = ({ payload, end }: Reply) => [
  payload.toString('utf8').replace(/"id":(\d+|"three")\}$/, '"id":0}'),
  end.t,
];
const outcomeOf = ({ end }: Reply) => ('outcome' in end ? end.outcome : undefined);

type Body = readonly [status: number, type: string, text: string];

/** Calls a tool; its upstream answers with `body`. */
async function call(message: object, options: object, [status, type, text]: Body) {
  const s = runner.post(message, options);
  runner.answerFetch(await runner.nextFetch(), status, { 'content-type': type }, text);
  return runner.reply(s);
}

const eras = [
  { era: '2026', make: modern, options: {}, constant: ['tools/list', 'server/discover'] },
  { era: '2025', make: request, options: inSession('one'), constant: ['tools/list', 'ping'] },
] as const;

describe.each(eras)('in the $era era', ({ make, options, constant }) => {
  test.each(constant)('%s is the same, byte for byte but for its id, from the first to the last', async (method) => {
    const lists: [Reply, ...Reply[]] = [
      await runner.ask(make(1, method, {}), options),
      await runner.ask(make(2, method, {}), options),
      await runner.ask(make('three', method, {}), options),
    ];
    expect(lists.map(({ payload }) => JSON.parse(payload.toString('utf8')))).toMatchObject([
      { id: 1 },
      { id: 2 },
      { id: 'three' },
    ]);
    expect(lists.map(outcomeOf)).toEqual(['ok', 'ok', 'ok']);
    expect(lists.map(withoutId)).toEqual(Array.from({ length: 3 }, () => withoutId(lists[0])));
  });

  test.each<[string, Body, string]>([
    ['structured content', [200, 'application/json', '{"id":3}'], 'ok'],
    ['an answer that breaks its promise', [200, 'application/json', '{"id":"three"}'], 'tool_error'],
    ['an upstream that refuses', [404, 'text/plain', 'nobody here'], 'tool_error'],
  ])('a call is answered alike from the first to the last: %s', async (_, body, outcome) => {
    const first = await call(make(1, 'tools/call', put), options, body);
    const warm = await call(make(2, 'tools/call', put), options, [200, 'application/json', '{"id":1}']);
    const last = await call(make(3, 'tools/call', put), options, body);
    expect(withoutId(last)).toEqual(withoutId(first));
    expect([first, warm, last].map(outcomeOf)).toEqual([outcome, 'ok', outcome]);
  });

  test('what is wrong is refused as it was before anything was asked', async () => {
    const wrong = [
      make(1, 'tools/call', { name: 'no_thing', arguments: {} }),
      make(1, 'tools/call', { ...put, arguments: 'x' }),
      make(1, 'tools/call', { name: 7 }),
      make(1, 'tools/list', { cursor: 7 }),
      { ...make(1, 'tools/list', {}), extra: true },
    ];
    const refusals = async () => {
      const replies = [];
      for (const message of wrong) replies.push(await runner.ask(message, options));
      return replies.map(({ payload, end: { s: _, ...end } }) => [payload.toString('utf8'), end]);
    };
    const before = await refusals();
    await runner.ask(make(1, 'tools/list', {}), options);
    await call(make(2, 'tools/call', put), options, [200, 'application/json', '{"id":1}']);
    expect(await refusals()).toEqual(before);
  });

  test('overlapping calls with one id, after others like them, are answered each with its own', async () => {
    if (make === request) await initialize(runner, 'two');
    const other = make === request ? inSession('two') : options;
    for (const at of [options, other])
      await call(make(1, 'tools/call', put), at, [200, 'application/json', '{"id":0}']);
    const [mine, theirs] = [
      runner.post(make(5, 'tools/call', put), options),
      runner.post(make(5, 'tools/call', put), other),
    ];
    const fetches = [await runner.nextFetch(), await runner.nextFetch()];
    for (const fetch of fetches.toReversed()) {
      const id = fetch === fetches[0] ? 1 : 2;
      runner.answerFetch(fetch, 200, { 'content-type': 'application/json' }, `{"id":${id}}`);
    }
    expect((await runner.reply(mine)).message.result.structuredContent).toEqual({ id: 1 });
    expect((await runner.reply(theirs)).message.result.structuredContent).toEqual({ id: 2 });
  });
});

test('a request without the metadata of the 2026 era is refused, also after one that had it', async () => {
  await runner.ask(modern(1, 'tools/list'));
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  expect((await runner.ask(request(1, 'tools/list', { _meta }))).message.error.code).toBe(-32602);
  expect((await runner.ask(request(1, 'tools/list'))).message?.result).toBeUndefined();
});

test('what is said of one answer, such as its age, is not said of those after it, and the other way round', async () => {
  const asked = async (id: number, stale: object) => {
    const s = runner.post(modern(id, 'tools/call', put));
    const { header } = await runner.nextFetch();
    const headers = { 'content-type': 'application/json' };
    runner.send({ t: 'fetched', f: header.f, status: 200, headers, ms: 1, ...stale }, Buffer.from('{"id":1}'));
    const { payload } = await runner.reply(s);
    return Object.keys(JSON.parse(payload.toString('utf8')).result._meta);
  };
  const stale = { stale: { ageMs: 5_000, reason: 'timeout' } };
  const first = await asked(1, stale);
  const fresh = await asked(2, {});
  expect(first.length).toBe(fresh.length + 1);
  expect(await asked(3, stale)).toEqual(first);
  expect(await asked(4, {})).toEqual(fresh);
});
