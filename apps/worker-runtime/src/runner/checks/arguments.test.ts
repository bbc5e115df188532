import { expect, test } from '@jest/globals';
import { ArgumentCheck } from './arguments.js';

test('an argument that is too long for its pattern is named, with what may be sent', () => {
  const check = new ArgumentCheck('save', {
    type: 'object',
    properties: { notes: { type: 'array', items: { type: 'string', pattern: '(\\w{1,900})[0-9]$' } } },
  });
  const fault = check.explainFault({ notes: ['fine1', 'a'.repeat(1_000_000)] });
  expect(fault).toContain('The arguments of save cannot be checked, so nothing was sent.');
  expect(fault).toMatch(/- \/notes\/1: 1000000 characters take too many steps .* so 277\d\d characters at most here/);
  expect(check.explainFault({ notes: ['fine1'] })).toBeUndefined();
});
