import { dedicatedOf } from '#libs/config';
import { Database, requireSchema } from '#libs/database';
import { acceptMasterKeys } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import type { GatewayConfig } from './config.js';
import { QUESTION_MS, QUESTIONS_AT_ONCE } from './documents/document-door.js';

/** The ways of a gateway to its rows. */
export interface Databases {
  readonly database: Database;
  /** For questions about documents alone: few connections, and little time for each. */
  readonly questions: Database;
}

/** Connects. @throws Error that says what to do where the database is away, of an earlier version, or of another key */
export async function openDatabases(config: GatewayConfig, logger: Logger): Promise<Databases> {
  const access = {
    databaseUrl: config.DATABASE_URL,
    role: 'wharf_gateway',
    masterKey: config.WHARF_MASTER_KEY,
    dedicated: dedicatedOf(config),
    onAway: (name: string, error: unknown) => logger.warn({ err: error, database: name }, 'dedicated database is away'),
  } as const;
  const [database, questions] = await Promise.all([
    Database.connect(access),
    Database.connect({ ...access, poolSize: QUESTIONS_AT_ONCE, statementTimeoutMs: QUESTION_MS }),
  ]);
  await requireSchema(database);
  await acceptMasterKeys(database, config.WHARF_MASTER_KEY);
  return { database, questions };
}
