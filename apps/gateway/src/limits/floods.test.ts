import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Floods, type CallerOf } from './floods.js';
import { RateReached } from './rate-reached.js';

const URL_OF_ONE = 'https://wharf.example/t/acme/orders/mcp';

let floods: Floods;

beforeEach(() => {
  jest.useFakeTimers();
  floods = new Floods();
});

afterEach(() => void jest.useRealTimers());

function caller(hash: string, resource = URL_OF_ONE, method: CallerOf['method'] = 'POST'): CallerOf {
  const credential = { kind: 'api-key', tenantId: undefined, hash } as const;
  return { credential, method, target: { resource } as CallerOf['target'] }; // all that is looked at
}

/** A refusal that is sure for so many ms from now on. */
function refusal(ms = 1_000): RateReached {
  return new RateReached({ retryAfterSeconds: 7 }, performance.now() + ms);
}

function noteMany(times: number, call = caller('a')): void {
  for (let noted = 0; noted < times; noted += 1) floods.note(call, refusal());
}

test('who is refused twenty times in a second is refused unread, at that URL and with those credentials alone', () => {
  noteMany(19);
  expect(floods.find(caller('a'))).toBeUndefined();
  noteMany(1);
  expect(floods.find(caller('a'))).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 7 });
  expect(floods.find(caller('b'))).toBeUndefined();
  expect(floods.find(caller('a', 'https://wharf.example/t/acme/other/mcp'))).toBeUndefined();
  expect(floods.find(caller('a', URL_OF_ONE, 'DELETE'))).toBeUndefined();
  expect(floods.find({ ...caller('a'), credential: { kind: 'none' } })).toBeUndefined();
});

test('a call is read again as soon as there may be room', () => {
  noteMany(20);
  floods.note(caller('a'), refusal(300));
  expect(floods.find(caller('a'))).toBeDefined();
  jest.advanceTimersByTime(300);
  expect(floods.find(caller('a'))).toBeUndefined();
});

test('a flood goes on into the next second with the first call that is read, and is over after a second without one', () => {
  noteMany(20);
  jest.advanceTimersByTime(1_000);
  expect(floods.find(caller('a'))).toBeUndefined();
  noteMany(1);
  expect(floods.find(caller('a'))).toBeDefined();
  jest.advanceTimersByTime(2_000);
  noteMany(1);
  expect(floods.find(caller('a'))).toBeUndefined();
});

test('nineteen refusals in every second are no flood', () => {
  for (let second = 0; second < 4; second += 1) {
    noteMany(19);
    expect(floods.find(caller('a'))).toBeUndefined();
    jest.advanceTimersByTime(1_000);
  }
});
