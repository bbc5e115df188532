import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Result } from '@modelcontextprotocol/client';
import { LoginNeeded } from '../serve/egress-stream.js';
import { Logins, type LoginAsk } from './logins.js';

const DONE: Result = { content: [] };

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function asked(requestState?: string): LoginAsk {
  const inputResponses = requestState === undefined ? {} : { login: { action: 'accept' } };
  const client = {
    envelope: {},
    capabilities: { elicitation: { url: {} } },
    logLevel: undefined,
    requestState,
    inputResponses,
    tell: () => undefined,
  };
  return {
    caller: { name: 'principal a', link: undefined, client },
    request: { method: 'tools/call', params: { name: 'mail' } },
  };
}

async function askedToLogIn(logins: Logins): Promise<string> {
  const login = { connector: 'mail', title: 'Mail', url: 'https://wharf.example/login' };
  const answer = await logins.around(asked(), () => Promise.reject(new LoginNeeded(login)));
  expect(answer['resultType']).toBe('input_required');
  return String(answer['requestState']);
}

test('M-22: a requestState of a login is good for ten minutes, and then runs nothing', async () => {
  const logins = new Logins();
  const [inTime, late] = [await askedToLogIn(logins), await askedToLogIn(logins)];
  await jest.advanceTimersByTimeAsync(599_000);
  const run = jest.fn(() => Promise.resolve(DONE));
  expect(await logins.around(asked(inTime), run)).toEqual(DONE);
  await jest.advanceTimersByTimeAsync(1_000);
  await expect(logins.around(asked(late), run)).rejects.toMatchObject({ code: -32_602 });
  expect(run).toHaveBeenCalledTimes(1);
});
