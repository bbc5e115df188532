/** The oldest PostgreSQL that this version runs on. */
export const POSTGRES_MAJOR_MIN = 15;

/** Why a PostgreSQL server is too old, before anything is done to it; undefined where it is not. */
export async function tooOld(
  query: (sql: string) => Promise<ReadonlyArray<{ readonly number: number; readonly version: string }>>,
): Promise<string | undefined> {
  const [server] = await query(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version`,
  );
  if (server === undefined || server.number >= POSTGRES_MAJOR_MIN * 10_000) return undefined;
  return `PostgreSQL ${server.version} is too old: Wharf runs on PostgreSQL ${POSTGRES_MAJOR_MIN} or newer. Nothing in this database was changed.`;
}
