import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApiProblem, type Agent } from '#libs/journey';
import { until } from '#libs/testing';
import { textOf, ThirdPartyStage, TOKEN } from './third-party-stage.fixture.js';

let stage: ThirdPartyStage;
beforeAll(async () => {
  stage = await ThirdPartyStage.open();
});
afterAll(() => stage?.close());

describe('the way out', () => {
  test.each(['fetch', 'node', 'undici', 'undici fetch'])(
    'ordinary code reaches the origins of its release with %s',
    async (way) => {
      expect(await stage.call('reach', { way, url: `${stage.named}/${encodeURIComponent(way)}` })).toBe(
        `200 upstream /${encodeURIComponent(way)}`,
      );
    },
  );

  test.each(['fetch', 'node', 'undici'])('and no other with %s', async (way) => {
    expect(await stage.call('reach', { way, url: `http://127.0.0.1:${stage.unnamedPort}/` })).toMatch(/^(403|failed)/);
    expect(stage.reached).not.toContain('unnamed');
  });

  test('nothing else leads out', async () => {
    const found = (await stage.call('escape', { port: stage.unnamedPort })) as Record<string, string>;
    for (const [way, outcome] of Object.entries(found))
      expect([way, outcome]).toEqual([way, expect.stringMatching(/^(403|failed)/)]);
  });
});

test('an upstream that keeps failing is left alone, and its owner sees it', async () => {
  const answer = await stage.withAgent('default', async ({ client }) => {
    const given = { way: 'node', url: `${stage.named}/500` };
    let said = '"500';
    for (let asks = 0; asks < 40 && said.startsWith('"500'); asks += 1)
      said = textOf(await client.callTool({ name: 'reach', arguments: given }));
    return said;
  });
  expect(answer).toMatch(/^"503 .*left alone for a while/);
  expect(await stage.call('reach', { way: 'fetch', url: `${stage.named}/` })).toMatch(/^failed/);
  const { upstreams } = (await stage.get('/v1/servers/all/upstreams')) as { upstreams: unknown };
  expect(upstreams).toMatchObject([{ origin: stage.named, state: 'open' }]);
});

describe('settings', () => {
  test('reach the server as its manifest maps them, and no secret comes back', async () => {
    const found = (await stage.call('config')) as Record<string, unknown>;
    expect(found).toMatchObject({ token: '[redacted]', REGION: 'region-eu', RETRIES: '3', arguments: 'gone' });
    expect((found['pieces'] as string[]).join('')).toBe(TOKEN);
    expect(found['args']).toEqual(['--pin=[redacted]', 'x', 'y']);
    expect(found['LOUD']).toBeUndefined();
    expect(JSON.stringify(found['cmdlines'])).not.toMatch(/redacted|--pin/);
    expect(JSON.stringify(found['cmdlines'])).toContain('index.mjs');
    await expect(
      stage.withAgent('auto', ({ client }) => client.callTool({ name: 'complain', arguments: {} })),
    ).rejects.toThrow('refused with [redacted]');
    await until(() => stage.wharf.logs().includes('my token is [redacted]'), 'what it said');
    expect(stage.wharf.logs()).not.toMatch(/SECRET-(token|pin)/);
  });

  test('a new value of a secret is what the next process starts with; without one nothing starts', async () => {
    const pieces = async (): Promise<string> => {
      const found = (await stage.call('config')) as { pieces?: string[] };
      return found.pieces?.join('') ?? '';
    };
    await stage.api.putSecret('token', 'SECRET-token-new');
    expect(await pieces()).toBe('SECRET-token-new');
    await stage.remove('/v1/secrets/token');
    await stage.withAgent('default', async ({ client }) => {
      const refused = await client.callTool({ name: 'config', arguments: {} });
      expect([refused.isError, textOf(refused)]).toEqual([true, expect.stringContaining('there is no secret "token"')]);
    });
    await stage.api.putSecret('token', TOKEN);
    expect(await pieces()).toBe(TOKEN);
  });

  test('a release that names a secret that is not there yet says so', async () => {
    const built = await stage.api.createRelease('all', stage.source({ token: { secret: 'not-there-yet' } }));
    expect(built.warnings).toEqual([expect.stringContaining('There is no secret not-there-yet yet')]);
  });

  test.each([
    ['a sensitive value as it is', { token: 'plain' }, '/config/token', 'PUT /v1/secrets'],
    ['a setting that the bundle has not', { nothing: 1 }, '/config/nothing', 'no such setting'],
    ['a number that is none', { retries: 'many' }, '/config/retries', 'This is a number'],
    ['a number out of bounds', { retries: 10 }, '/config/retries', 'at most 9'],
    ['a list where there is one value', { region: ['a', 'b'] }, '/config/region', 'not a list'],
  ])('refuse %s', async (_what, config, pointer, sentence) => {
    const error: unknown = await stage.api
      .createRelease('all', stage.source(config))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiProblem);
    expect((error as ApiProblem).status).toBe(422);
    expect(JSON.stringify((error as ApiProblem).problem)).toContain(pointer);
    expect(JSON.stringify((error as ApiProblem).problem)).toContain(sentence);
  });
});

describe('processes', () => {
  test('are as many as the plan’s memory has room for; the one that rested longest makes room', async () => {
    const sessions = await Promise.all(Array.from({ length: 6 }, () => stage.connect('default')));
    for (const { client } of sessions) await client.callTool({ name: 'meta', arguments: {} });
    const count = async (): Promise<unknown> =>
      JSON.parse(textOf((await sessions.at(-1)?.client.callTool({ name: 'servers', arguments: {} })) ?? {}));
    await until(async () => (await count()) === 4, 'four processes');
    for (const session of sessions) await session.close();
  });

  const daemons = (agent: Agent): Promise<unknown> =>
    agent.client.callTool({ name: 'daemons', arguments: {} }).then((result) => JSON.parse(textOf(result)));

  test('what a server leaves behind is ended', async () => {
    await stage.withAgent('default', async (agent) => {
      await agent.client.callTool({ name: 'daemon', arguments: {} });
      await until(async () => Number(await daemons(agent)) === 0, 'the end of what was left');
    });
  });

  test('a server that prints more than anybody reads holds up nobody', async () => {
    await stage.withAgent('default', async ({ client }) => {
      const loud = await client.callTool({ name: 'shout', arguments: {} });
      expect([loud.isError, textOf(loud)]).toEqual([undefined, '"shouted"']);
      const isSaid = () => /is dropped until the next (?:second|minute)/.test(stage.wharf.logs());
      await until(isSaid, 'the log to say that output is dropped');
    });
  });

  test('a fork bomb stays inside, and its worker is soon as good as new', async () => {
    await stage.withAgent('default', async (agent) => {
      await agent.client.callTool({ name: 'fork_bomb', arguments: {} }).catch(() => undefined);
    });
    const answered = async (): Promise<boolean> =>
      stage
        .withAgent('default', async ({ client }) => {
          const result = await client.callTool({ name: 'meta', arguments: {} }, { timeout: 5_000 });
          return result.isError !== true;
        })
        .catch(() => false);
    await until(answered, 'an answer');
  });
});

describe('a process that nobody calls', () => {
  let short: ThirdPartyStage;
  beforeAll(async () => {
    short = await ThirdPartyStage.open({ environment: { WHARF_SERVER_IDLE_SECONDS: '3' } });
  });
  afterAll(() => short?.close());

  const textOfCall = async ({ client }: Agent, name: string): Promise<string> =>
    textOf(await client.callTool({ name, arguments: {} }));
  /** Processes of publishing, of sessions that have ended and of connecting rest, and go. */
  const untilAlone = (agent: Agent): Promise<true> =>
    until(async () => (await textOfCall(agent, 'servers')) === '1', 'the end of all the others');

  test('is stopped, while its neighbour works on, and its session is served by another when it calls again', async () => {
    const [resting, busy] = [await short.connect('default'), await short.connect('default')];
    await untilAlone(busy);
    await textOfCall(resting, 'meta');
    expect(await textOfCall(busy, 'servers')).toBe('2');
    await untilAlone(busy);
    expect(await textOfCall(resting, 'servers')).toBe('2');
    await Promise.all([resting.close(), busy.close()]);
  });

  test('is kept while its session listens to a resource', async () => {
    const [listening, resting, busy] = [
      await short.connect('default'),
      await short.connect('default'),
      await short.connect('default'),
    ];
    await untilAlone(busy);
    await listening.client.subscribeResource({ uri: 'note://one' });
    await textOfCall(resting, 'meta');
    expect(await textOfCall(busy, 'servers')).toBe('3');
    await until(async () => (await textOfCall(busy, 'servers')) !== '3', 'the end of the one that rests');
    expect(await textOfCall(busy, 'servers')).toBe('2');
    const { contents } = await listening.client.readResource({ uri: 'note://one' });
    expect(contents).toMatchObject([{ text: 'note 1' }]); // the process that was asked to tell
    await Promise.all([listening.close(), resting.close(), busy.close()]);
  });
});

test('plain processes, where an operator lets code of others run in them, reach out and are configured the same way', async () => {
  const plain = await ThirdPartyStage.open({
    environment: { WHARF_WORKER_DRIVER: 'process', WHARF_ALLOW_UNSANDBOXED: 'true' },
  });
  try {
    expect(await plain.call('reach', { way: 'fetch', url: `${plain.named}/plain` })).toBe('200 upstream /plain');
    expect(await plain.call('config')).toMatchObject({ token: '[redacted]', REGION: 'region-eu' });
  } finally {
    await plain.close();
  }
});
