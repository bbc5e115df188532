import { expect, test } from '@jest/globals';
import { AppError, type ErrorCode } from '#libs/errors';
import { KeptResults } from './kept-results.js';
import { mountedResults } from './mounted-results.js';

test.each<[ErrorCode, number, string]>([
  ['rate_limited', -31_029, 'Read it again.'],
  ['unavailable', -31_053, 'Read it again.'],
  ['not_found', -32_602, 'There is no result'],
])('reading that is answered %s is told as what it is', async (code, number, told) => {
  const results = new KeptResults({ pass: () => Promise.reject(new AppError(code, { message: 'Read it again.' })) });
  const mount = mountedResults({ serverSlug: 'a', releaseId: 'r', digest: 'd', prefix: '' });
  const asked = { method: 'resources/read', uri: `result://a/${'x'.repeat(32)}` };
  const reading = results.answer(mount, asked, { s: 1, signal: new AbortController().signal });
  await expect(reading).rejects.toMatchObject({ code: number, message: expect.stringContaining(told) });
});
