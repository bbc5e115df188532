import { expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { hashApiKey, mintApiKey, tenantOfApiKey } from './api-key.js';

test('an API key names its tenant and is stored as a hash', () => {
  const tenantId = newId();
  const key = mintApiKey(tenantId);
  expect(tenantOfApiKey(key.text)).toBe(tenantId);
  expect(key.hash).toBe(hashApiKey(key.text));
  expect(key.hash).toMatch(/^[0-9a-f]{64}$/);
  expect(key.text).not.toContain(key.hash);
});

test.each([
  '',
  'whk_',
  'whk_short',
  `whk_${'a'.repeat(64)}`,
  `whk_${'a'.repeat(66)}`,
  `who_${'a'.repeat(65)}`,
  `whk_${'!'.repeat(65)}`,
])('does not take %j for an API key', (text) => {
  expect(tenantOfApiKey(text)).toBeUndefined();
});
