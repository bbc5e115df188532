import { expect, test } from '@jest/globals';
import { SessionPrincipals } from './session-principals.js';

test('a session is its first principal’s, and nobody else’s until it ends', () => {
  const principals = new SessionPrincipals();
  principals.claim('session', 'ann');
  principals.claim('session', 'ann');
  expect(() => principals.claim('session', 'bob')).toThrow(expect.objectContaining({ code: 'session_not_found' }));
  principals.release('session');
  expect(principals.size).toBe(0);
});

test('a worker whose clients never end their sessions goes on taking new ones, and keeps those in use', () => {
  const principals = new SessionPrincipals();
  principals.claim('in use', 'ann');
  for (let opened = 0; opened < 10_000; opened += 1) {
    principals.claim(`left behind ${opened}`, 'ann');
    principals.claim('in use', 'ann');
  }
  expect(principals.size).toBeLessThanOrEqual(2_000);
  expect(() => principals.claim('in use', 'bob')).toThrow(expect.objectContaining({ code: 'session_not_found' }));
});
