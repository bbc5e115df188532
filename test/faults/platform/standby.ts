import { spawnSync } from 'node:child_process';
import { appendFileSync, chownSync, cpSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openDataFolder, startPostgres, type DataFolder, type EmbeddedServer } from '#libs/embedded';
import { until } from '#libs/testing';
import { Client } from 'pg';

const NAME = 'standby';

/** A second PostgreSQL that has every commit before it is answered, and may take the first one's place. */
export class Standby {
  private constructor(
    readonly data: DataFolder,
    private readonly server: EmbeddedServer,
  ) {}

  /** Makes one from a base backup of a server that runs, and waits until commits wait for it. */
  static async follow(primaryUrl: string, primary: DataFolder): Promise<Standby> {
    const data = openDataFolder(`${primary.root}-${NAME}`);
    const owner = new Client({ connectionString: primaryUrl });
    await owner.connect();
    await owner.query(`select pg_create_physical_replication_slot('${NAME}', true)`);
    await backUp(owner, primary, data);
    followAs(data, new URL(primaryUrl));
    const server = await startPostgres(data, 'durable');
    await owner.query(`alter system set synchronous_standby_names = '${NAME}'`);
    await owner.query('select pg_reload_conf()');
    await until(async () => {
      const { rows } = await owner.query<{ sync_state: string }>('select sync_state from pg_stat_replication');
      return rows.some(({ sync_state: state }) => state === 'sync');
    }, 'commits wait for the standby');
    await owner.end();
    return new Standby(data, server);
  }

  /** Lets it take writes. */
  async promote(): Promise<EmbeddedServer> {
    const owner = new Client({ connectionString: this.server.url });
    await owner.connect();
    await owner.query('select pg_promote(true, 60)');
    await owner.end();
    return this.server;
  }
}

function clusterOf({ root }: DataFolder): string {
  return path.join(root, 'postgres');
}

/** Copies a server's files while it runs, as its documentation has it ("Making a Base Backup Using the Low Level API"). */
async function backUp(owner: Client, from: DataFolder, to: DataFolder): Promise<void> {
  cpSync(from.folder('keys'), to.folder('keys'), { recursive: true });
  await owner.query(`select pg_backup_start('${NAME}', true)`);
  // Files come and go while they are copied; what matters is in the log.
  spawnSync('cp', ['--archive', clusterOf(from), clusterOf(to)]);
  const { rows } = await owner.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
  for (const stale of ['postmaster.pid', 'postmaster.opts']) rmSync(path.join(clusterOf(to), stale), { force: true });
  const slots = path.join(clusterOf(to), 'pg_replslot');
  for (const slot of readdirSync(slots)) rmSync(path.join(slots, slot), { recursive: true });
  writeAsOwner(to, 'backup_label', rows[0]?.labelfile ?? '');
}

/** Tells it whom to follow. */
function followAs(data: DataFolder, { hostname, port, username, password }: URL): void {
  const from = `host=${hostname} port=${port} user=${username} password=${password} application_name=${NAME}`;
  const lines = [`primary_conninfo = '${from}'`, `primary_slot_name = '${NAME}'`];
  appendFileSync(path.join(clusterOf(data), 'postgresql.auto.conf'), `${lines.join('\n')}\n`);
  writeAsOwner(data, 'standby.signal', '');
}

function writeAsOwner(data: DataFolder, name: string, text: string): void {
  const file = path.join(clusterOf(data), name);
  writeFileSync(file, text, { mode: 0o600 });
  const { uid, gid } = statSync(clusterOf(data));
  chownSync(file, uid, gid);
}
