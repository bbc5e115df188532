import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Floods, type Caller } from './floods.js';
import { RateReached } from './rate-reached.js';

const URL_OF_ONE = 'https://wharf.example/t/acme/orders/mcp';

let floods: Floods;

beforeEach(() => {
  jest.useFakeTimers();
  floods = new Floods();
});

afterEach(() => void jest.useRealTimers());

function caller(hash: string, resource = URL_OF_ONE, method: Caller['method'] = 'POST'): Caller {
  const credential = { kind: 'api-key', tenantId: undefined, hash } as const;
  const target = { resource } as Caller['target']; // all that is looked at
  return { credential, method, target, address: '192.0.2.1' };
}

/** A call with a token, and with a proof of its key where one is given. */
function bearer(proof?: string): Caller {
  const token = { kind: 'access-token', text: 't', hash: 'h' } as const;
  return { ...caller('h'), credential: proof === undefined ? token : { ...token, proof } };
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
  expect(floods.find({ ...caller('a'), address: '192.0.2.2' })).toBeUndefined();
  expect(floods.find({ ...caller('a'), credential: { kind: 'none' } })).toBeUndefined();
});

test('a token that is bound to a key is read each time, whoever sends it and however', () => {
  noteMany(40, bearer('a proof'));
  expect([bearer('a proof'), bearer('another'), bearer()].map((call) => floods.find(call))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  noteMany(20, bearer());
  expect(floods.find(bearer())).toBeDefined();
  expect(floods.find(bearer(''))).toBeUndefined();
});

test('the refusal with which a flood begins says so, once', () => {
  const begun = Array.from({ length: 30 }, () => floods.note(caller('a'), refusal()));
  expect(begun.flatMap((began, at) => (began ? [at] : []))).toEqual([19]);
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
