import type { Logger } from 'typeorm';

const nothing = (): void => undefined;

/**
 * What TypeORM would write by itself, onto the console and past our log: a migration that lets others by is tried again, and
 * is no failure. One that fails is thrown, with its name.
 */
export const SILENT: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};
