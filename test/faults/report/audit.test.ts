import { expect, it } from '@jest/globals';
import { faultOfRecord } from './audit.js';

const RESULT = '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\\"error\\":{}}"}]}}';
const errorOf = (code: number): string => JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code, message: 'no' } });
const streamOf = (...messages: readonly string[]): string =>
  [': keep-alive', ...messages.map((message) => `event: message\ndata: ${message}`)].join('\n\n');

function judge(status: number | undefined, text: string, ran: boolean, ...outcomes: readonly string[]) {
  const answer = status === undefined ? {} : { answer: { status, text } };
  const call = {
    text: 'call 1',
    purpose: 'first' as const,
    row: 'row',
    digest: 'digest',
    mark: 'mark',
    failed: false,
    sessionEnded: false,
    ms: 1,
    ...answer,
  };
  return faultOfRecord(call, ran, new Map([['digest', outcomes]]));
}

it.each([
  ['a result that is recorded so', 200, RESULT, 'ok', undefined],
  ['a result that is recorded as failed', 200, RESULT, 'worker_failed', 'wrong'],
  ['a result in a stream that is recorded as failed', 200, streamOf(RESULT), 'worker_failed', 'wrong'],
  ['a lost worker that is told in a stream', 200, streamOf(errorOf(-31_052)), 'worker_failed', undefined],
  ['a lost worker that is recorded as well', 200, streamOf(errorOf(-31_052)), 'ok', 'wrong'],
  ['a record that could not be committed', 200, streamOf(errorOf(-31_053)), 'ok', undefined],
  ['an error of the protocol', 200, errorOf(-32_602), 'protocol_error', undefined],
  ['a lost worker', 502, errorOf(-31_052), 'worker_failed', undefined],
  ['a lost worker that is recorded as a result', 502, errorOf(-31_052), 'ok', 'wrong'],
] as const)('judges %s', (_, status, text, outcome, fault) => {
  expect(judge(status, text, true, outcome)).toBe(fault);
});

it('misses the record of a call that an upstream heard, and finds one too many', () => {
  expect(judge(undefined, '', true)).toBe('lost');
  expect(judge(200, RESULT, false)).toBe('lost');
  expect(judge(503, errorOf(-31_053), false)).toBeUndefined();
  expect(judge(200, RESULT, true, 'ok', 'ok')).toBe('wrong');
});
