import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectWithApiKey, signUp, WharfApi } from '#libs/journey';
import { packBundle, startWharf, type Wharf } from '#libs/testing';
import { SERVERS } from './bundles.fixture.js';

/** Longer than calls may take in all without progress, in steps that are shorter. */
const SLOW = { steps: 12, everyMs: 500 };
const ENDLESS = { steps: 1_000, everyMs: 500 };

let wharf: Wharf;
let apiKey: string;

beforeAll(async () => {
  wharf = await startWharf({ environment: { WHARF_CALL_TIMEOUT_MS: '4000', WHARF_CALL_TIMEOUT_MAX_MS: '10000' } });
  const owner = { email: 'owner@progress.example', password: 'progress correct horse battery' };
  apiKey = (await signUp(wharf.url, { tenantName: 'Progress', slug: 'progress', ...owner })).api_key.text;
  const api = new WharfApi({ publicUrl: wharf.url, apiKey });
  const artefact = await api.uploadArtefact('application/zip', new Uint8Array(packBundle(SERVERS.dual)));
  await api.createServer('slow', 'Slow');
  await api.allowWrites('slow');
  const { release } = await api.createRelease('slow', { kind: 'bundle', artefact });
  await api.publish('slow', release.id);
});
afterAll(() => wharf?.stop());

describe.each([
  ['2025', 'default'],
  ['2026', 'auto'],
] as const)('a slow tool in the %s era', (_era, protocol) => {
  const slow = async (given: object, onprogress?: () => void): Promise<string> => {
    const agent = await connectWithApiKey({ url: `${wharf.url}/t/progress/slow/mcp`, apiKey, protocol });
    const called = await agent.client
      .callTool({ name: 'slow', arguments: { ...given } }, onprogress === undefined ? {} : { onprogress })
      .then(JSON.stringify, String)
      .finally(() => agent.close());
    return called;
  };

  test('is waited for while it makes progress', async () => {
    let heard = 0;
    expect(await slow(SLOW, () => (heard += 1))).toContain('done');
    expect(heard).toBeGreaterThanOrEqual(SLOW.steps);
  });

  test('is given up at the usual time when nobody hears of its progress', async () => {
    expect(await slow(SLOW)).toMatch(/in time|took too long|deadline|time limit/i);
  });

  test('is given up at last, however much progress it makes', async () => {
    let heard = 0;
    expect(await slow(ENDLESS, () => (heard += 1))).toMatch(/in time|took too long|deadline|time limit/i);
    expect(heard).toBeGreaterThan(4);
  });
});
