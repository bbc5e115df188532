import { expect, test } from '@jest/globals';
import { estimateTokens } from './estimate-tokens.js';

test.each([
  // What o200k_base and cl100k_base make of them.
  ['{"type":"object","properties":{"owner":{"type":"string"},"repo":{"type":"string"}}}', 21, 20],
  ['Lists the organizations that the authenticated user has explicitly granted access to.', 13, 13],
])('tells what %s costs within a fifth', (text, o200k, cl100k) => {
  const estimated = estimateTokens(text);
  for (const counted of [o200k, cl100k]) expect(Math.abs(estimated / counted - 1)).toBeLessThan(0.2);
});
