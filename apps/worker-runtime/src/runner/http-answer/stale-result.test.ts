import { expect, test } from '@jest/globals';
import { staleResult } from './stale-result.js';

test('a result from before is marked with its age and why there is no new one, and is otherwise as it was', () => {
  const result = { content: [{ type: 'text' as const, text: 'old' }], _meta: { own: 1 } };
  expect(staleResult(result, { ageMs: 90_400, reason: 'open' })).toEqual({
    content: result.content,
    _meta: { own: 1, 'wharf/stale': { age_seconds: 90, reason: 'open' } },
  });
});
