import { expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { z } from 'zod';
import { ConfigError, parseConfig, Secret, secretText } from './index.js';

const schema = z.object({ WHARF_LIMIT: z.coerce.number().int().positive(), WHARF_KEY: secretText(4).optional() });

test('turns the environment into typed values', () => {
  expect(parseConfig(schema, { WHARF_LIMIT: '5', PATH: '/bin' }).WHARF_LIMIT).toBe(5);
});

test('names every key that cannot be used, and every key that nobody knows', () => {
  const parse = (): unknown => parseConfig(schema, { WHARF_LIMIT: 'many', WHARF_LIMTI: '5' });
  expect(parse).toThrow(ConfigError);
  expect(parse).toThrow(/WHARF_LIMTI: no service knows this key[\s\S]*WHARF_LIMIT: /);
});

test('says that a key is not set', () => {
  const needed = z.object({ WHARF_KEY: secretText(4) });
  expect(() => parseConfig(needed, {})).toThrow('WHARF_KEY: is not set; this service needs it');
});

test('lets keys of other services pass', () => {
  expect(() => parseConfig(schema, { WHARF_LIMIT: '5', WHARF_OTHER: 'x' }, ['WHARF_OTHER'])).not.toThrow();
});

test('a secret prints as [secret] in every way and reveals its value only when asked', () => {
  const secret = new Secret('hunter22');
  expect([String(secret), JSON.stringify({ secret }), inspect({ secret }), `${secret}`].join()).not.toContain(
    'hunter22',
  );
  expect(secret.reveal()).toBe('hunter22');
});
