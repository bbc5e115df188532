import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ChangingUpstream } from './changing-upstream.fixture.js';
import { openDriftPlace, type DriftPlace } from './drift.fixture.js';

const OPTIONAL = { greet: { description: 'Greets.', arguments: { tone: z.string().optional() } } };

let place: DriftPlace;
const running: ChangingUpstream[] = [];
beforeAll(async () => {
  place = await openDriftPlace();
});
afterAll(async () => {
  await Promise.all(running.map((upstream) => upstream.stop()));
  await place.close();
});

async function start(): Promise<ChangingUpstream> {
  const upstream = await new ChangingUpstream('modern').start();
  running.push(upstream);
  return upstream;
}

const outcomeOf = async (server: Parameters<DriftPlace['rows']>[0]): Promise<unknown> =>
  (await place.rows<{ outcome: string }>(server, `select outcome from drift_watches`))[0]?.outcome;

test('a tool under another name is one removed and one added, and needs somebody even where compatible changes go out', async () => {
  const upstream = await start();
  const server = await place.publishRemote({ far: upstream }, 'auto');
  upstream.tools = { salute: { description: 'Greets.' } };
  await place.look(server);
  expect(await place.candidates(server)).toMatchObject([
    { state: 'pending', effect: 'breaking', summary: { tools: { added: ['salute'], removed: ['greet'] } } },
  ]);
});

test('words of what was approved do not change by themselves, and by `reject` nothing does', async () => {
  const [upstream, other] = [await start(), await start()];
  const auto = await place.publishRemote({ far: upstream }, 'auto');
  const reject = await place.publishRemote({ far: other }, 'reject');
  upstream.tools = { greet: { description: 'Greets warmly.' } };
  other.tools = OPTIONAL;
  await Promise.all([place.look(auto), place.look(reject)]);
  await place.clock.tick();
  expect(await place.candidates(auto)).toMatchObject([
    { state: 'pending', effect: 'wording', reason: 'The words of approved tools changed: greet.' },
  ]);
  expect(await place.candidates(reject)).toMatchObject([{ state: 'refused', effect: 'compatible' }]);
  // Nor does the user interface that people are shown with it.
  upstream.tools = { greet: { description: 'Greets.', meta: { ui: { resourceUri: 'ui://greet' } } } };
  await place.look(auto);
  await place.clock.tick();
  const candidates = await place.candidates(auto);
  expect(candidates.filter(({ state }) => state === 'pending')).toMatchObject([
    { effect: 'compatible', reason: 'The words of approved tools changed: greet.' },
  ]);
});

test('an upstream that is not there, one of two or the only one, has not drifted', async () => {
  const [near, far] = [await start(), await start()];
  const server = await place.publishRemote({ near, far }, 'approve');
  near.tools = OPTIONAL;
  await far.stop();
  await place.look(server);
  expect(await outcomeOf(server)).toBe('unreachable');
  expect(await place.candidates(server)).toEqual([]);
  await far.start();
  await place.look(server);
  expect(await place.candidates(server)).toMatchObject([{ summary: { tools: { changed: ['near__greet'] } } }]);
});

test('prompts are pinned too, whatever their names hold', async () => {
  const upstream = await start();
  upstream.prompts = ['ask'];
  const server = await place.publishRemote({ far: upstream }, 'auto');
  upstream.prompts = ['as\u0000k\u001b[2J'];
  await place.look(server);
  expect(await place.candidates(server)).toMatchObject([
    { state: 'pending', effect: 'breaking', summary: { prompts: { added: ['as\ufffdk\u001b[2J'], removed: ['ask'] } } },
  ]);
});

test('what cannot be a release is told with its places, and what was approved stays', async () => {
  const upstream = await start();
  const server = await place.publishRemote({ far: upstream }, 'auto');
  upstream.tools = { greet: { description: 'Greets.\u{E0041} Hidden.' } };
  await place.look(server);
  await place.look(server);
  expect(await place.candidates(server)).toMatchObject([
    { state: 'unusable', release_id: null, problems: [{ pointer: '/upstreams/0/tools/greet/description' }] },
  ]);
});

test('an upstream that never says the same twice makes ten candidates a day', async () => {
  const upstream = await start();
  const server = await place.publishRemote({ far: upstream }, 'approve');
  await place.control.asTenant(server.tenantId, (tx) =>
    tx.query(
      `insert into drift_candidates (tenant_id, id, server_id, base_release_id, fingerprint, state)
       select $1, gen_random_uuid(), $2, $3, 'sha256:' || n, 'pending' from generate_series(1, 9) as n`,
      [server.tenantId, server.serverId, server.releaseId],
    ),
  );
  for (const tools of [OPTIONAL, { greet: { description: 'Greets, for the eleventh time.' } }]) {
    upstream.tools = tools;
    await place.look(server);
  }
  expect(await outcomeOf(server)).toBe('flapping');
  const states = (await place.candidates(server)).map(({ state }) => state);
  expect(states).toEqual(Array.from({ length: 10 }, () => 'superseded'));
});

test('an upstream at which all callers log in themselves is asked for nobody', async () => {
  const upstream = await start();
  const server = await place.publishRemote({ far: upstream }, 'approve');
  const source = { kind: 'remote', upstreams: [{ name: 'far', url: upstream.url, auth: { kind: 'connection' } }] };
  await place.control.asTenant(server.tenantId, (tx) =>
    tx.query(`update releases set source = $1`, [JSON.stringify(source)]),
  );
  upstream.tools = OPTIONAL;
  await place.look(server);
  expect([await outcomeOf(server), await place.candidates(server)]).toEqual(['unknown', []]);
});
