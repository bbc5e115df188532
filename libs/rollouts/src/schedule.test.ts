import { expect, test } from '@jest/globals';
import { holdAt, type ReleaseSchedule } from './schedule.js';

const OFFICE: ReleaseSchedule = {
  windows: [{ days: [1, 2, 3, 4], from: '09:00', until: '16:00', time_zone: 'Europe/Berlin' }],
  freeze: null,
};

test.each([
  ['a Monday morning', '2026-11-23T08:00:00Z', true],
  ['the minute before it opens', '2026-11-23T07:59:59Z', false],
  ['the last minute', '2026-11-23T14:59:59Z', true],
  ['the minute when it closes', '2026-11-23T15:00:00Z', false],
  ['a Friday', '2026-11-27T10:00:00Z', false],
  ['summer, when clocks are an hour further', '2026-07-06T07:00:00Z', true],
])('%s', (_, now, open) => {
  expect(holdAt(OFFICE, new Date(now)) === undefined).toBe(open);
});

test('without windows everything may go out, unless it is frozen, with or without an end', () => {
  const now = new Date('2026-12-24T12:00:00Z');
  const frozen = (until: string | null) => holdAt({ windows: [], freeze: { reason: 'Holidays.', until } }, now);
  expect(holdAt({ windows: [], freeze: null }, now)).toBeUndefined();
  expect(frozen(null)).toBe('The server’s releases are frozen: Holidays.');
  expect(frozen('2027-01-02T00:00:00Z')).toContain('until 2027-01-02');
  expect(frozen('2026-12-24T12:00:00Z')).toBeUndefined();
});

test('a hold names the windows', () => {
  expect(holdAt(OFFICE, new Date('2026-11-22T12:00:00Z'))).toBe(
    'None of the server’s release windows is open now: Mon, Tue, Wed, Thu 09:00–16:00 (Europe/Berlin).',
  );
});
