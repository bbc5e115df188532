import { Client } from 'pg';

const LOOK_EVERY_MS = 20;
const WAIT_MS = 10_000;

/** A server's row that somebody else holds, so that whoever moves its rollout stands still in the middle of it. */
export interface HeldServer {
  /** Resolves when a service's transaction waits for the row. @throws Error where none does within ten seconds */
  untilWantedBy(service: 'wharf_background' | 'wharf_control'): Promise<void>;
  letGo(): Promise<void>;
}

/** Holds the row of a tenant's server `shop`; reading it, and counting its calls, goes on. */
export async function holdServer(databaseUrl: string, slug: string): Promise<HeldServer> {
  const [holder, onlooker] = [new Client(databaseUrl), new Client(databaseUrl)];
  // A test that failed leaves them to the end of its database.
  for (const client of [holder, onlooker]) client.on('error', () => undefined);
  await Promise.all([holder.connect(), onlooker.connect()]);
  await holder.query('begin');
  await holder.query(
    `select from servers s join tenants t on t.id = s.tenant_id where t.slug = $1 and s.slug = 'shop'
     for no key update of s`,
    [slug],
  );
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  return {
    async untilWantedBy(service) {
      const until = performance.now() + WAIT_MS;
      while (!(await isWaiting(onlooker, rows[0]?.pid ?? 0, service))) {
        if (performance.now() > until) throw new Error(`${service} does not wait for the server of ${slug}.`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    },
    async letGo() {
      await holder.query('rollback');
      await Promise.all([holder.end(), onlooker.end()]);
    },
  };
}

/** Whether a service waits for a backend, or for one that waits for it. */
async function isWaiting(onlooker: Client, pid: number, service: string): Promise<boolean> {
  const { rowCount } = await onlooker.query(
    `with recursive waiting(pid) as (
       select $1::int union
       select a.pid from pg_stat_activity a join waiting w on w.pid = any (pg_blocking_pids(a.pid))
     ) select from waiting join pg_stat_activity using (pid) where application_name = $2`,
    [pid, service],
  );
  return (rowCount ?? 0) > 0;
}
