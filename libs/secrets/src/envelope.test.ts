import { createSecretKey, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { decrypt, encrypt } from './envelope.js';

/** More than twice as many as nonces are asked of the system at once. */
const MANY = 600;
const NONCE_BYTES = 12;

test('no nonce is used twice, and what was sealed under a key is opened by the same key in either form', () => {
  const bytes = randomBytes(32);
  const key = createSecretKey(bytes);
  const sealed = Array.from({ length: MANY }, (_, at) =>
    encrypt(at % 2 === 0 ? key : bytes, Buffer.from(`${at}`), 'c'),
  );
  expect(new Set(sealed.map((value) => value.toString('hex', 0, NONCE_BYTES))).size).toBe(MANY);
  expect(sealed.map((value, at) => decrypt(at % 3 === 0 ? key : bytes, value, 'c').toString())).toEqual(
    Array.from({ length: MANY }, (_, at) => `${at}`),
  );
});

test('what was changed, cut off, moved to another context or sealed under another key does not open', () => {
  const key = randomBytes(32);
  const sealed = encrypt(key, Buffer.from('value'), 'here');
  const changed = Buffer.from(sealed);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  expect(() => decrypt(key, changed, 'here')).toThrow();
  for (const length of [0, 12, 16, 27, sealed.length - 1])
    expect(() => decrypt(key, sealed.subarray(0, length), 'here')).toThrow();
  expect(() => decrypt(key, sealed, 'there')).toThrow();
  expect(() => decrypt(randomBytes(32), sealed, 'here')).toThrow();
});
