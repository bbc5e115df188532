import { beforeAll, expect, it, test } from '@jest/globals';
import { BOUNDS, sizeFor, SPARE, type Load } from './formula.js';
import { misplaced, place, placementRows, type Placement } from './placement.js';

/** Five gateways and six runtimes by the formula, one of each to spare. */
const LOAD: Load = {
  tenants: 5_000,
  activeShare: 0.1,
  sessions: 50_000,
  callsPerSecondPeak: 833,
  callsPerDay: 1,
  retentionDays: 1,
};
let equal: Placement;
let uneven: Placement;

beforeAll(() => {
  [equal, uneven] = [place(LOAD, 'equal'), place(LOAD, 'uneven')];
});

test('a fleet of the formula’s size carries its load, also with one of each less', () => {
  expect(sizeFor(LOAD)).toMatchObject({ gateways: 5, runtimes: 6, workers: 500 });
  expect([...misplaced(equal), ...misplaced(uneven)]).toEqual([]);
  expect(equal.whole).toMatchObject({ gateways: 5, runtimes: 6, connections: 30 });
  expect(equal.runtimeLost).toMatchObject({ runtimes: 5, connections: 25 });
  expect(equal.gatewayLost).toMatchObject({ gateways: 4, runtimes: 6, connections: 24 });
});

test('every awake tenant has a worker, and large ones have more than one', () => {
  expect(equal.whole.workers).toBeGreaterThanOrEqual(500);
  expect(uneven.whole.workers).toBeGreaterThan(equal.whole.workers);
});

test('the same load is placed the same way', () => {
  const small = { ...LOAD, tenants: 500, sessions: 5_000 };
  expect(place(small, 'uneven')).toEqual(place(small, 'uneven'));
});

it.each<[string, (placement: Placement) => Partial<Placement>, RegExp]>([
  ['too many workers', ({ whole }) => ({ whole: { ...whole, workers: 700 } }), /^workers: 700, where 600/],
  [
    'a runtime with half of all workers',
    ({ whole }) => ({ whole: { ...whole, workersOfBusiest: 250 } }),
    /^workers of the busiest runtime: 250, where 125/,
  ],
  [
    'one that takes all that a lost one had',
    ({ runtimeLost }) => ({ runtimeLost: { ...runtimeLost, workersOfBusiest: 225 } }),
    /^workers of the busiest runtime with one lost: 225, where 150/,
  ],
  [
    'a gateway whose figures cannot tell its sessions apart',
    ({ gatewayLost }) => ({ gatewayLost: { ...gatewayLost, sessionsOfBusiestGateway: 20_001 } }),
    /^sessions of the busiest gateway with one lost: 20001/,
  ],
  [
    'a connection with more streams than it carries',
    ({ gatewayLost }) => ({ gatewayLost: { ...gatewayLost, streamsOfBusiestConnection: 10_001 } }),
    /^streams of the busiest connection with a gateway lost: 10001/,
  ],
  ['more connections', ({ whole }) => ({ whole: { ...whole, connections: 31 } }), /^connections: 31, where 30/],
  ['tenants that were moved for nothing', () => ({ strayed: 1 }), /^tenants that a lost runtime of others moved: 1/],
  ['a runtime that moves everybody', () => ({ movedByOneMore: 400 }), /^tenants that one more runtime moved: 400/],
])('%s fails', (_what, change, why) => {
  expect(misplaced({ ...equal, ...change(equal) })).toEqual([expect.stringMatching(why)]);
});

test.each([1_500, 3_000])('the spare gateway of %i tenants takes the place of a lost one', (tenants) => {
  const load = { ...LOAD, tenants, sessions: tenants * 10 };
  const placed = place(load, 'equal');
  expect(placed.whole.gateways).toBe(load.sessions / BOUNDS.sessionsPerGateway + SPARE);
  expect(misplaced(placed)).toEqual([]);
});

test('the table has the formula beside what was simulated', () => {
  const [headings, row] = placementRows([equal]);
  expect(row).toHaveLength(headings?.length ?? 0);
  expect(row).toEqual(expect.arrayContaining(['5000', 'equal', '5 × 6 = 30', '500', '83', '100', '10000', '12500']));
});
