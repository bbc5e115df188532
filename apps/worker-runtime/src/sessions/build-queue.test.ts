import { expect, test } from '@jest/globals';
import { BuildQueue } from './build-queue.js';

function queue(): { enter: (tenantId: string) => () => void; begun: string[] } {
  const builds = new BuildQueue({ runningMax: 2, tenantMax: 3, waitingMax: 4 });
  const begun: string[] = [];
  return { enter: (tenantId) => builds.enter(tenantId, () => begun.push(tenantId)), begun };
}

test('a tenant that has nothing running goes before one that has, however late it came', () => {
  const { enter, begun } = queue();
  const first = enter('a');
  enter('a');
  enter('a');
  enter('b');
  expect(begun).toEqual(['a', 'a']);
  first();
  expect(begun).toEqual(['a', 'a', 'b']);
});

test('a tenant waits with few, all together with a bounded number, and who gives up makes room', () => {
  const { enter, begun } = queue();
  for (const tenant of ['a', 'a', 'a']) enter(tenant);
  expect(() => enter('a')).toThrow(/Too many releases/);
  const waiting = enter('b');
  enter('c');
  enter('d');
  expect(() => enter('e')).toThrow(/Too many releases/);
  waiting();
  waiting();
  enter('e');
  expect(begun).toEqual(['a', 'a']);
});
