import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Result } from '@modelcontextprotocol/client';
import { CallDesk } from './call-desk.js';
import { HeldCalls, type ModernAsk } from './held-calls.js';
import type { RunCall } from './open-call.js';

const DONE: Result = { content: [] };
const ELICIT = { method: 'elicitation/create', params: { message: 'Who?', _meta: { 'wharf/input-key': 'who' } } };
const never = new AbortController().signal;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function openDesk(): CallDesk {
  return new CallDesk({ elicitation: {} }, { changed: () => undefined, asked: () => undefined });
}

function asked(given: Partial<ModernAsk['caller']['client']> = {}, name = 'principal a'): ModernAsk {
  const client = { envelope: {}, capabilities: { elicitation: {} }, logLevel: undefined, requestState: undefined };
  const caller = { name, link: undefined, client: { ...client, inputResponses: {}, tell: () => undefined, ...given } };
  const times = { timeoutMs: 30_000, timeoutMaxMs: 60_000, signal: never, onProgress: undefined };
  return { caller, request: { method: 'tools/call', params: { name: 'ask' }, ...times } };
}

/** A server that asks before it answers, and ends when it is told that the call is cancelled. */
function asking(desk: CallDesk, cancelled: () => void): RunCall {
  return ({ signal }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => (cancelled(), reject(new Error('cancelled'))));
      // A server that runs nothing yet has nobody to ask.
      queueMicrotask(() => void desk.request(ELICIT, never).then((answer) => resolve({ ...DONE, answer }), reject));
    });
}

async function begin(held: HeldCalls, cancelled = (): void => undefined, name?: string): Promise<Result> {
  const desk = openDesk();
  desk.claim();
  const begun = held.begin(desk, asked({}, name), asking(desk, cancelled));
  await jest.advanceTimersByTimeAsync(50);
  return begun;
}

const answers = (first: Result): ModernAsk =>
  asked({ requestState: String(first['requestState']), inputResponses: { who: { action: 'decline' } } });

test('a call goes on with the answers that its client brings', async () => {
  const held = new HeldCalls();
  const first = await begin(held);
  expect(first['inputRequests']).toEqual({ who: { method: 'elicitation/create', params: { message: 'Who?' } } });
  expect(await held.resume(answers(first))).toEqual({ ...DONE, answer: { action: 'decline' } });
});

test('a call that nobody comes back for is cancelled at its server, and not found any more', async () => {
  const held = new HeldCalls();
  const cancelled = jest.fn();
  const first = await begin(held, cancelled);
  await jest.advanceTimersByTimeAsync(299_000);
  expect(cancelled).not.toHaveBeenCalled();
  await jest.advanceTimersByTimeAsync(1_000);
  expect(cancelled).toHaveBeenCalledTimes(1);
  await expect(held.resume(answers(first))).rejects.toMatchObject({ code: -32_602 });
});

test('the call that has waited longest gives way', async () => {
  const held = new HeldCalls();
  const [first, second] = [await begin(held), await begin(held)];
  expect(await held.dropOldest()).toBe(true);
  await expect(held.resume(answers(first))).rejects.toMatchObject({ code: -32_602 });
  expect(await held.resume(answers(second))).toMatchObject(DONE);
  expect(await held.dropOldest()).toBe(false);
});

test('a state is no other principal’s', async () => {
  const held = new HeldCalls();
  const first = await begin(held);
  const { client } = answers(first).caller;
  await expect(held.resume(asked(client, 'principal b'))).rejects.toMatchObject({ code: -32_602 });
  expect(await held.resume(answers(first))).toMatchObject(DONE);
});

test('what is asked while several calls run goes to none of them', async () => {
  const held = new HeldCalls();
  const desk = openDesk();
  const waiting: RunCall = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled'))));
  const calls = [asked(), asked()].map((one) => held.begin(desk, one, waiting));
  await expect(desk.request(ELICIT, never)).rejects.toThrow('it is not clear which asks');
  await Promise.all([...calls.map((call) => expect(call).rejects.toThrow()), jest.advanceTimersByTimeAsync(60_000)]);
});

test('who fails for want of what its client does not offer is told so; who goes on without is not', async () => {
  const held = new HeldCalls();
  const desk = new CallDesk({}, { changed: () => undefined, asked: () => undefined });
  const wanting = (result: Result): Promise<Result> =>
    held.begin(desk, asked(), async () => {
      await Promise.resolve();
      desk.lacks('sampling/createMessage');
      return result;
    });
  expect(await wanting(DONE)).toEqual(DONE);
  const missing = { code: -32_021, data: { requiredCapabilities: { sampling: {} } } };
  await expect(wanting({ ...DONE, isError: true })).rejects.toMatchObject(missing);
});

test('one caller’s many calls push out its own, and no other’s', async () => {
  const held = new HeldCalls();
  const theirs = await begin(held, undefined, 'principal b');
  const own: Result[] = [];
  for (let count = 0; count <= 32; count += 1) own.push(await begin(held));
  const [first, second] = own;
  if (first === undefined || second === undefined) throw new Error('not begun');
  await expect(held.resume(answers(first))).rejects.toMatchObject({ code: -32_602 });
  expect(await held.resume(answers(second))).toMatchObject(DONE);
  const answered = { requestState: String(theirs['requestState']), inputResponses: { who: { action: 'decline' } } };
  expect(await held.resume(asked(answered, 'principal b'))).toMatchObject(DONE);
});
