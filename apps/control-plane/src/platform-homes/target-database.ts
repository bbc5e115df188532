import { ConfigError, type Secret } from '#libs/config';
import { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { PlatformHomesRepository } from './platform-homes.repository.js';

/** The other end of a move, and whose schema it must have. */
export interface Target {
  readonly name: string;
  readonly databaseUrl: string;
  readonly masterKey: Secret;
  /** Names of the migrations that the common database has had. */
  readonly schema: readonly string[];
}

/** Looks whether a database can be moved into or out of. @throws AppError `unavailable`, or `conflict` for another schema */
export async function refuseUnfit(rows: PlatformHomesRepository, target: Target): Promise<void> {
  const { name, migrations } = await schemaThere(rows, target);
  if (name !== target.name) throw notSetUp(target.name);
  const there = new Set(migrations);
  const older = target.schema.some((migration) => !there.has(migration));
  if (!older && there.size === target.schema.length) return;
  throw new AppError('conflict', {
    message: `The schema of ${name} is ${older ? 'older' : 'newer'} than the common database’s. Run \`npm run migrate\` with the version that is to serve both, then ask again.`,
  });
}

function notSetUp(name: string, cause?: unknown): AppError {
  return new AppError('conflict', {
    message: `The database that WHARF_DEDICATED_DATABASES names ${name} has not been set up under this name. Run \`npm run migrate\`, then ask again.`,
    cause,
  });
}

async function schemaThere(
  rows: PlatformHomesRepository,
  target: Target,
): ReturnType<PlatformHomesRepository['schemaOf']> {
  try {
    const database = await Database.connect({ ...target, role: 'wharf_operator', poolSize: 1 });
    return await database.asService((tx) => rows.schemaOf(tx)).finally(() => database.close());
  } catch (error) {
    if (error instanceof ConfigError || hasNoSchema(error)) throw notSetUp(target.name, error);
    throw new AppError('unavailable', {
      message: `The database ${target.name} cannot be reached. Look at its server and at WHARF_DEDICATED_DATABASES, then ask again.`,
      retryAfterSeconds: 30,
      cause: error,
    });
  }
}

/** A table or a column that is missing, or that the role may not read (PostgreSQL, appendix A). */
function hasNoSchema(error: unknown): boolean {
  const code = (error as { driverError?: { code?: string } } | null)?.driverError?.code;
  return code === '42P01' || code === '42703' || code === '42501';
}
