import { expect, it } from '@jest/globals';
import { ANY, FEW, NOTHING, SOME, WITHOUT_DATABASE, type Cost } from '../catalogue/fault.js';
import { RECORDED_FIRST } from '../platform/tenants.js';
import { Ledger } from '../traffic/ledger.js';
import type { Asides } from '../traffic/traffic.js';
import { countOf, faultsOf, rowsOf, type Outcome } from './rows.js';

const WELL = [{ name: 'gateway 1', seconds: 0.1, last: undefined }];

interface Made {
  readonly first?: readonly [made: number, failed: number];
  readonly again?: readonly [made: number, failed: number];
  readonly probes?: readonly [made: number, failed: number];
  readonly sessionsEnded?: number;
  readonly mark?: string;
}

/** The row of a fault with that cost, under those calls. */
function rowOf(cost: Cost, { first = [100, 0], again, probes, sessionsEnded = 0, mark = 'mark' }: Made, api?: Asides) {
  const ledger = new Ledger([mark]);
  const make = (purpose: 'first' | 'again' | 'probe', [made, failed]: readonly [number, number]): void => {
    for (let index = 0; index < made; index += 1) {
      const call = ledger.begin(mark, purpose, 'row');
      call.failed = index < failed;
    }
  };
  make('first', first);
  make('again', again ?? [0, 0]);
  make('probe', probes ?? [0, 0]);
  for (const call of ledger.calls.slice(0, sessionsEnded)) call.sessionEnded = true;
  return rowFor({ name: 'row', cost, recovered: WELL }, ledger, api);
}

function rowFor(outcome: Outcome, ledger: Ledger, api: Asides = { asked: 50, failures: [] }) {
  const asides = new Map([['row', api]]);
  const [row] = rowsOf([outcome], { ledger, heard: [], records: new Map(), asides });
  if (row === undefined) throw new Error('there is a row');
  return row;
}

it.each<[string, Cost, Made, RegExp | undefined]>([
  ['nothing that fails where nothing may', NOTHING, {}, undefined],
  ['one call that fails where none may', NOTHING, { first: [1_000, 1] }, /1 of 1000 calls failed, where 0 may/],
  ['as many failures as may be', { ...NOTHING, calls: FEW }, { first: [1_000, 10] }, undefined],
  [
    'one failure more than may be',
    { ...NOTHING, calls: FEW },
    { first: [1_000, 11] },
    /11 of 1000 calls failed, where 10 may/,
  ],
  ['as few as may fail of any number', { ...NOTHING, calls: FEW }, { first: [20, 3] }, undefined],
  [
    'everything that fails where a part may',
    { ...NOTHING, calls: SOME },
    { first: [100, 100] },
    /100 of 100 calls failed, where 15 may/,
  ],
  [
    'a call that fails when it is made again',
    { ...NOTHING, calls: FEW },
    { first: [9, 1], again: [1, 1] },
    /once more/,
  ],
  [
    'a call that succeeds when it is made again',
    { ...NOTHING, calls: FEW },
    { first: [9, 1], again: [1, 0] },
    undefined,
  ],
  ['probes of what is broken', NOTHING, { probes: [30, 30] }, undefined],
  ['nobody who calls but probes', NOTHING, { first: [0, 0], probes: [30, 0] }, /no client called/],
  ['a session that ends where none may', NOTHING, { sessionsEnded: 1 }, /session has ended/],
  ['a session that ends where one may', { ...NOTHING, sessions: FEW }, { sessionsEnded: 1 }, undefined],
  ['calls that wait for the database', WITHOUT_DATABASE, { first: [9, 9], mark: `${RECORDED_FIRST}1` }, undefined],
  ['calls that do not wait for the database', WITHOUT_DATABASE, { first: [9, 1] }, /1 of 9 calls failed, where 0 may/],
])('judges %s', (_what, cost, made, fault) => {
  const faults = faultsOf(rowOf(cost, made));
  if (fault === undefined) expect(faults).toEqual([]);
  else expect(faults).toEqual([expect.stringMatching(fault)]);
});

it('judges requests of the API', () => {
  const failed = { asked: 40, failures: ['Error: no token: 503'] };
  expect(faultsOf(rowOf(NOTHING, {}, failed))).toEqual([
    '1 of 40 requests of the API failed, where 0 may: Error: no token: 503',
  ]);
  expect(faultsOf(rowOf({ ...NOTHING, api: ANY }, {}, failed))).toEqual([]);
});

it('counts what was left out as failed, and by leave as neither passed nor failed', () => {
  const ledger = new Ledger([]);
  const left = (allowed: 'allowed' | 'not allowed') =>
    rowFor({ name: 'row', cost: NOTHING, recovered: [], skipped: { why: 'no disk', allowed } }, ledger);
  expect(faultsOf(left('not allowed'))).toEqual(['was not brought about: no disk']);
  expect(countOf([left('not allowed'), left('allowed'), rowOf(NOTHING, {})])).toEqual({ passed: 1, failed: 1 });
});

it('counts calls of no fault only where something is wrong with them', () => {
  const ledger = new Ledger([]);
  const between = { name: 'row', recovered: [] };
  expect(countOf([rowFor(between, ledger)])).toEqual({ passed: 0, failed: 0 });
  ledger.begin('mark', 'first', 'row').answer = { status: 200, text: '{"result":{}}' };
  expect(countOf([rowFor(between, ledger)])).toEqual({ passed: 0, failed: 1 });
});

it('counts what was under way when a fault began as that fault’s, and what had ended as nobody’s', () => {
  const ledger = new Ledger([]);
  const [ended, underWay] = [ledger.begin('mark', 'first'), ledger.begin('mark', 'first')];
  ended.ms = 5;
  ledger.faultBegins('row');
  const after = ledger.begin('mark', 'first');
  ledger.row = 'between';
  expect([ended, underWay, after, ledger.begin('mark', 'first')].map(({ row }) => row)).toEqual([
    'before',
    'row',
    'row',
    'between',
  ]);
  expect(faultsOf(rowFor({ name: 'row', cost: NOTHING, recovered: WELL }, ledger))).toContainEqual(
    '2 of 2 calls failed, where 0 may: mark call 2 after ? ms: not ended; mark call 3 after ? ms: not ended',
  );
});
