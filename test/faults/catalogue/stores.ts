import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import type { KillablePostgres } from '../platform/postgres.js';
import type { KillableRedis } from '../platform/redis.js';
import { NOTHING, WITHOUT_DATABASE, type Fault } from './fault.js';

const HELD_MS = 5_000;
const MINUTE_MS = 60_000;
const CONNECTIONS_MAX = 500;

/** What happens to the stores themselves, beside being killed and standing still. */
export const STORES: readonly Fault[] = [
  // Nothing that must survive is in Redis.
  { name: 'redis-flushed', cost: NOTHING, run: ({ redis }) => redis.flush() },
  { name: 'redis-away-for-a-minute', cost: NOTHING, run: ({ redis }) => awayForAMinute(redis) },
  { name: 'postgres-restarted', cost: WITHOUT_DATABASE, run: ({ postgres }) => postgres.restart() },
  { name: 'postgres-away-for-a-minute', cost: WITHOUT_DATABASE, run: ({ postgres }) => awayForAMinute(postgres) },
  {
    name: 'postgres-out-of-connections',
    cost: WITHOUT_DATABASE,
    run: ({ postgres }) => whileFull(postgres.ownUrl),
  },
  { name: 'postgres-failed-over', cost: WITHOUT_DATABASE, run: ({ postgres }) => postgres.failOver() },
];

async function awayForAMinute(store: KillablePostgres | KillableRedis): Promise<void> {
  await store.end();
  await pause(MINUTE_MS);
  await store.startAgain();
}

/** Takes every connection that the server has left, and ends those that there were, so that services need new ones. */
async function whileFull(url: string): Promise<void> {
  const taken: Client[] = [];
  const take = async (): Promise<boolean> => {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    const got = await client.connect().then(
      () => true,
      () => false,
    );
    if (got) taken.push(client);
    return got;
  };
  await take();
  const others = `select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and pid <> all ($1::int[])`;
  const pids = async (): Promise<number[]> =>
    Promise.all(
      taken.map(async (one) => (await one.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0),
    );
  // Services come back for connections at once; whoever is quicker has them, so it is done until all are ours.
  const untilMs = performance.now() + HELD_MS;
  while (performance.now() < untilMs) {
    await taken[0]?.query(others, [await pids()]);
    while (taken.length < CONNECTIONS_MAX && (await take()));
    await pause(100);
  }
  await Promise.all(taken.map((one) => one.end()));
}
