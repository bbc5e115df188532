import { expect, test } from '@jest/globals';
import { isGivenUp, isUnavailable } from './sql-errors.js';

const failure = (code: string, message = 'x'): Error => Object.assign(new Error(message), { code });

test.each(['ECONNREFUSED', '57P01', '57P04', '28P01', '3D000', '08006', '53300'])(
  '%s means that the database cannot be used',
  (code) => {
    expect(isUnavailable(failure(code))).toBe(true);
    expect(isUnavailable(Object.assign(new Error('query failed'), { driverError: failure(code) }))).toBe(true);
  },
);

test.each(['23505', '42501', '42P01', '55000'])('%s means that it refused what was asked', (code) => {
  expect(isUnavailable(failure(code))).toBe(false);
});

test('a pool that hands out no connection in time counts as unavailable', () => {
  expect(isUnavailable(new Error('timeout exceeded when trying to connect'))).toBe(true);
});

test.each(['55000', '42501'])('%s means so where it comes of connecting', (code) => {
  const refused = Object.assign(failure(code), { routine: 'CheckMyDatabase' });
  expect(isUnavailable(refused)).toBe(true);
  expect(isUnavailable(Object.assign(new Error('query failed'), { driverError: refused }))).toBe(true);
});

test.each(['40001', '40P01', '55P03', '57014'])('%s means that it may come about another time', (code) => {
  expect(isGivenUp(failure(code))).toBe(true);
  expect(isGivenUp(Object.assign(new Error('query failed'), { driverError: failure(code) }))).toBe(true);
});

test('what was refused, and what was never asked, is not given up', () => {
  for (const error of [failure('23505'), failure('57P01'), new Error('x'), undefined])
    expect(isGivenUp(error)).toBe(false);
});
