import { expect, test } from '@jest/globals';
import { FIGURES, sizeFor, type Load } from './formula.js';

const LOAD: Load = {
  tenants: 1_000,
  activeShare: 0.1,
  sessions: 10_000,
  callsPerSecondPeak: 1_000,
  callsPerDay: 1_000_000,
  retentionDays: 30,
};

test('ten times the load needs ten times as much of everything that is not a minimum', () => {
  const ten = { ...LOAD, tenants: 10_000, sessions: 100_000, callsPerSecondPeak: 10_000, callsPerDay: 10_000_000 };
  const [small, large] = [sizeFor(LOAD), sizeFor(ten)];
  for (const part of ['workers', 'workersGb', 'redisGb', 'postgresCores', 'auditGb', 'gatewayCores'] as const) {
    expect(large[part] / small[part]).toBeCloseTo(10, 5);
  }
});

test('nothing runs in one copy, and a thousand calls in a second need the cores that they were measured to take', () => {
  expect(sizeFor({ ...LOAD, callsPerSecondPeak: 1 })).toMatchObject({ gateways: 2, runtimes: 2 });
  expect(sizeFor(LOAD).gatewayCores).toBeCloseTo((1_000 * FIGURES.cpuUs.gateway) / 1e6 / 0.5, 5);
});
