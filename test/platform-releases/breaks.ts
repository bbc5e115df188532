import { lte } from 'semver';
import type { Contract } from '../../migrations/contracts.js';
import type { SchemaCatalogue } from './schema-catalogue.js';

/**
 * What a schema no longer has of the one before it, or asks of inserts that it did not ask: each in a sentence. Left out
 * is what a contract names, once the last release is one that does without it.
 */
export function breaksOf(
  before: SchemaCatalogue,
  after: SchemaCatalogue,
  { contracts, lastVersion }: { readonly contracts: readonly Contract[]; readonly lastVersion: string },
): string[] {
  const table = (column: string): string => column.slice(0, column.indexOf('.'));
  const known = new Set([...before.columns.keys()].map(table));
  const contracted = contracts.filter(({ unusedSince }) => lte(unusedSince, lastVersion)).map(({ removes }) => removes);
  const isContracted = (name: string): boolean =>
    contracted.some((removed) => name === removed || name.startsWith(`${removed}.`) || name.startsWith(`${removed} (`));
  const gone = [...before.columns.keys()].filter((name) => !after.columns.has(name));
  const retyped = [...before.columns].filter(([name, type]) => (after.columns.get(name) ?? type) !== type);
  const demanded = [...after.required].filter((name) => known.has(table(name)) && !before.required.has(name));
  const uniques = [...before.uniques].filter((name) => !after.uniques.has(name));
  const grants = [...before.grants].filter((name) => !after.grants.has(name));
  const kept = (names: readonly string[]): string[] => names.filter((name) => !isContracted(name));
  return [
    ...kept(gone).map((name) => `${name} is gone`),
    ...kept(retyped.map(([name]) => name)).map((name) => `${name} has another type`),
    ...demanded.map((name) => `${name} must be filled by every insert, and has no default`),
    ...kept(uniques).map((name) => `${name} is no longer unique`),
    ...grants.filter((name) => !isContracted(name.split(' ')[2] ?? '')).map((name) => `${name} is no longer granted`),
  ];
}
