import { expect, test } from '@jest/globals';
import { QuestionTurns } from './question-turns.js';

const refusal = { message: 'Too many questions run at once.', rule: 'questions.at_once' };
const BOUNDS = { atOnce: 3, ofTenantAtOnce: 2, ofTenantWaiting: 2, waitMs: 60_000, refusal };

/** Questions that end when they are told to, and the order in which they began. */
function questions(turns: QuestionTurns) {
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (name: string): Promise<string> =>
    turns.take(name.charAt(0), async () => {
      began.push(name);
      await new Promise<void>((resolve) => void ends.set(name, resolve));
      return name;
    });
  return { began, ask, end: (name: string): void => ends.get(name)?.() };
}

test('one tenant’s many questions wait for each other, and keep nobody else’s waiting', async () => {
  const { began, ask, end } = questions(new QuestionTurns(BOUNDS));
  const all = ['a1', 'a2', 'a3', 'a4'].map(ask);
  await expect(ask('a5')).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 2 });
  const others = [ask('b1'), ask('b2'), ask('c1')];
  expect(began).toEqual(['a1', 'a2', 'b1']);
  const next = async (name: string): Promise<string | undefined> => {
    const before = began.length;
    end(name);
    while (began.length === before) await new Promise((resolve) => setImmediate(resolve));
    return began.at(-1);
  };
  expect(await next('a1')).toBe('a3');
  expect(await next('a2')).toBe('b2');
  expect(await next('b1')).toBe('c1');
  expect(await next('c1')).toBe('a4');
  for (const name of ['a3', 'a4', 'b2']) end(name);
  expect(await Promise.all([...all, ...others])).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']);
});

test('a question that waits too long is refused, and takes nobody’s turn', async () => {
  const { began, ask, end } = questions(new QuestionTurns({ ...BOUNDS, ofTenantAtOnce: 1, waitMs: 1 }));
  const first = ask('a1');
  await expect(ask('a2')).rejects.toMatchObject({ code: 'rate_limited' });
  end('a1');
  await first;
  const later = ask('a3');
  end('a3');
  await later;
  expect(began).toEqual(['a1', 'a3']);
});

test('a question that fails gives its turn to the next', async () => {
  const turns = new QuestionTurns({ ...BOUNDS, ofTenantAtOnce: 1 });
  const failing = turns.take('a', () => Promise.reject(new Error('no')));
  const next = turns.take('a', async () => 'yes');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
