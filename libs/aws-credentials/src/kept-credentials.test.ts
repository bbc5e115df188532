import { expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { AwsCredentialsError, type AwsCredentials } from './aws-credentials.js';
import { KeptCredentials } from './kept-credentials.js';

const MINUTE_MS = 60_000;

/** A source whose credentials live an hour, on a clock that the test moves. */
function world() {
  const state = { nowMs: 0, asked: 0, refusal: undefined as AwsCredentialsError | undefined };
  const kept = new KeptCredentials(
    async (): Promise<AwsCredentials> => {
      state.asked += 1;
      if (state.refusal !== undefined) throw state.refusal;
      const expiresAtMs = state.nowMs + 60 * MINUTE_MS;
      return { accessKeyId: `K${state.asked}`, secretAccessKey: new Secret('s'), expiresAtMs };
    },
    () => state.nowMs,
  );
  return { state, keyId: async () => (await kept.get()).accessKeyId };
}

test('new ones are fetched beside the calls that go on with the old, minutes before these expire', async () => {
  const { state, keyId } = world();
  expect(await keyId()).toBe('K1');
  state.nowMs = 54 * MINUTE_MS;
  expect([await keyId(), state.asked]).toEqual(['K1', 1]);
  state.nowMs = 56 * MINUTE_MS;
  expect(await Promise.all([keyId(), keyId(), keyId()])).toEqual(['K1', 'K1', 'K1']);
  expect([await keyId(), state.asked]).toEqual(['K2', 2]);
});

test('in their last minute calls wait for new ones', async () => {
  const { state, keyId } = world();
  await keyId();
  state.nowMs = 59.5 * MINUTE_MS;
  expect(await Promise.all([keyId(), keyId()])).toEqual(['K2', 'K2']);
});

test('a source that fails disturbs nobody before they expire, and is not asked without a pause', async () => {
  const { state, keyId } = world();
  await keyId();
  state.refusal = new AwsCredentialsError('refused', 'not now');
  state.nowMs = 59.5 * MINUTE_MS;
  for (let call = 0; call < 5; call += 1) expect(await keyId()).toBe('K1');
  expect(state.asked).toBe(2);
  state.nowMs = 61 * MINUTE_MS;
  await expect(keyId()).rejects.toMatchObject({ kind: 'unavailable', message: 'not now' });
  state.refusal = undefined;
  expect(await keyId()).toBe('K4');
});

test('what has expired when it comes is not used', async () => {
  const late = new KeptCredentials(async () => ({
    accessKeyId: 'K',
    secretAccessKey: new Secret('s'),
    expiresAtMs: Date.now() - 1,
  }));
  await expect(late.get()).rejects.toThrow(/had expired already/);
});
