import { expect, test } from '@jest/globals';
import { ownMigrations } from '#libs/database';
import { MIGRATION_NAMES } from './migrate.js';

test('services know this version’s migrations by their files: as many, made at the same times', () => {
  expect([...ownMigrations()].toSorted()).toEqual(MIGRATION_NAMES.map((name) => name.slice(-13)));
});
