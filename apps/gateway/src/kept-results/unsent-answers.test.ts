import { expect, test } from '@jest/globals';
import { UnsentAnswers } from './unsent-answers.js';

test('with much that its clients have not taken a tenant reads nothing new, and others do until all have too much', () => {
  const unsent = new UnsentAnswers({ tenant: 100, all: 250 });
  const taken = unsent.add('a', 100);
  expect(() => unsent.requireRoom('a')).toThrow(
    expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: 2 }),
  );
  unsent.requireRoom('b');
  const others = [unsent.add('b', 90), unsent.add('c', 60)];
  expect(() => unsent.requireRoom('d')).toThrow('still on their way');
  taken();
  taken(); // once is all that counts
  for (const tenant of ['a', 'b', 'c', 'd']) unsent.requireRoom(tenant);
  for (const end of others) end();
  unsent.add('a', 99)();
  unsent.requireRoom('a');
});
