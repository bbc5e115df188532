import { expect, test } from '@jest/globals';
import { pickRuntime, type RankedRuntime } from './rank-runtimes.js';

/** A runtime, and how much each tenant has open there. */
class Runtime implements RankedRuntime {
  readonly tenants = new Map<string, number>();
  open = 0;

  constructor(readonly name: string) {}

  openOf(tenantId: string): number {
    return this.tenants.get(tenantId) ?? 0;
  }

  take(tenantId: string, count = 1): void {
    this.open += count;
    this.tenants.set(tenantId, this.openOf(tenantId) + count);
  }
}

const TENANTS = Array.from({ length: 3_000 }, (_, index) => `tenant ${index}`);
const runtimesOf = (...names: readonly string[]): Runtime[] => names.map((name) => new Runtime(name));
const pick = (runtimes: readonly Runtime[], tenantId: string) => pickRuntime(runtimes, { tenantId, key: tenantId });
const placesOf = (runtimes: readonly Runtime[]) => TENANTS.map((tenant) => pick(runtimes, tenant)?.name);

test('a runtime that is lost moves only its own tenants', () => {
  const before = placesOf(runtimesOf('a', 'b', 'c'));
  const after = placesOf(runtimesOf('a', 'b'));
  for (const [at, place] of before.entries()) if (place !== 'c') expect(after[at]).toBe(place);
  for (const name of ['a', 'b', 'c']) expect(before.filter((place) => place === name).length).toBeGreaterThan(900);
});

test('calls of one tenant stay together while there are few, and none has more than its share where there are many', () => {
  const runtimes = runtimesOf('a', 'b', 'c');
  for (let calls = 0; calls < 128; calls += 1) pick(runtimes, 'busy')?.take('busy');
  expect(runtimes.map(({ open }) => open).toSorted((left, right) => left - right)).toEqual([0, 0, 128]);
  for (let calls = 128; calls < 3_000; calls += 1) pick(runtimes, 'busy')?.take('busy');
  expect(Math.max(...runtimes.map(({ open }) => open))).toBeLessThanOrEqual(1_251);
});

test('where a busy tenant has filled a runtime the calm ones stay that live there, but for one that is no longer calm', () => {
  const runtimes = runtimesOf('a', 'b', 'c');
  const own = placesOf(runtimes);
  for (let calls = 0; calls < 3_000; calls += 1) pick(runtimes, 'busy')?.take('busy');
  expect(placesOf(runtimes)).toEqual(own);

  const [full] = runtimes.toSorted((left, right) => right.open - left.open);
  const calm = TENANTS[own.indexOf(full?.name)] ?? '';
  full?.take(calm, 200);
  expect(pick(runtimes, calm)?.name).not.toBe(full?.name);
});

test.each([
  ['three, twice its share', ['a', 'b', 'c'], 2 / 3],
  ['two, four fifths of all', ['a', 'b'], 0.8],
])('calm tenants alone never fill a runtime without bound: of %s', (_, names, part) => {
  const runtimes = runtimesOf(...names);
  const [full] = runtimes;
  const calm = TENANTS.filter((tenant) => pick(runtimes, tenant) === full);
  const others = runtimes.slice(1);
  for (const other of others) other.take('others', 100);
  for (const tenant of calm) pick(runtimes, tenant)?.take(tenant);
  const all = runtimes.reduce((sum, { open }) => sum + open, 0);
  expect((full?.open ?? 0) / all).toBeGreaterThan(part - 0.05);
  expect((full?.open ?? 0) / all).toBeLessThanOrEqual(part + 0.01);
});

test('few calls of calm tenants stay where they are, whatever the others have', () => {
  const runtimes = runtimesOf('a', 'b', 'c');
  const [full] = runtimes;
  const calm = TENANTS.filter((tenant) => pick(runtimes, tenant) === full);
  for (const tenant of calm.slice(0, 120)) full?.take(tenant);
  expect(pick(runtimes, calm.at(-1) ?? '')).toBe(full);
});
