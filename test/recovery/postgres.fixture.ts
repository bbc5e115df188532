import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openDataFolder, startPostgres, type DataFolder, type EmbeddedServer } from '#libs/embedded';
import { until } from '#libs/testing';
import { Client } from 'pg';

/** A durable PostgreSQL of a rehearsal: what its machine keeps is below one folder. */
export class RehearsedPostgres {
  private constructor(
    readonly folder: string,
    private readonly data: DataFolder,
    private server: EmbeddedServer,
  ) {}

  /** Makes a cluster and starts it with these settings. */
  static async create(folder: string, settings: readonly string[]): Promise<RehearsedPostgres> {
    const data = openDataFolder(folder);
    const made = new RehearsedPostgres(folder, data, await startPostgres(data, 'durable'));
    await made.server.stop();
    appendFileSync(path.join(made.cluster, 'postgresql.conf'), `${settings.join('\n')}\n`);
    made.server = await startPostgres(data, 'durable');
    return made;
  }

  /** Starts what a base backup and these settings make of it: `signal` is the file that says which kind of recovery it is. */
  static async recover(
    folder: string,
    signal: 'recovery.signal' | 'standby.signal',
    settings: readonly string[],
  ): Promise<RehearsedPostgres> {
    const cluster = path.join(folder, 'postgres');
    appendFileSync(path.join(cluster, 'postgresql.auto.conf'), `${settings.join('\n')}\n`);
    writeFileSync(path.join(cluster, signal), '');
    ownedLike(cluster, [path.join(cluster, signal)]);
    const data = openDataFolder(folder);
    return new RehearsedPostgres(folder, data, await startPostgres(data, 'durable'));
  }

  get cluster(): string {
    return path.join(this.folder, 'postgres');
  }

  get url(): string {
    return this.server.url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Runs one statement as the owner of everything. */
  async query(sql: string): Promise<ReadonlyArray<Readonly<Record<string, string>>>> {
    return (await this.#with((client) => client.query<Record<string, string>>(sql))).rows;
  }

  /**
   * A base backup by PostgreSQL's own steps (`pg_basebackup` does the same over the network): what is in the folder
   * between start and stop, with the label that says from where the write-ahead log is needed.
   */
  async baseBackup(folder: string): Promise<void> {
    const target = path.join(folder, 'postgres');
    mkdirSync(folder, { recursive: true });
    await this.#with(async (client) => {
      await client.query(`select pg_backup_start('rehearsal', fast => true)`);
      execFileSync('cp', ['-a', this.cluster, target]);
      const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop()');
      rmSync(path.join(target, 'postmaster.pid'), { force: true });
      // Slots are the primary's own, as is what they hold.
      for (const kind of ['pg_wal', 'pg_replslot'])
        for (const file of readdirSync(path.join(target, kind)))
          rmSync(path.join(target, kind, file), { recursive: true });
      writeFileSync(path.join(target, 'backup_label'), rows[0]?.labelfile ?? '', { mode: 0o600 });
      ownedLike(target, [path.join(target, 'backup_label')]);
    });
    execFileSync('cp', ['-a', path.join(this.folder, 'keys'), path.join(folder, 'keys')]);
  }

  /** A folder that the server's own user may write to. */
  provideFolder(folder: string): string {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700);
    ownedLike(this.cluster, [folder]);
    return folder;
  }

  /** As when its machine loses its power. */
  async kill(): Promise<void> {
    const [pid] = readFileSync(path.join(this.cluster, 'postmaster.pid'), 'utf8').split('\n').map(Number);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    for (const each of [pid ?? 0, ...children]) {
      try {
        process.kill(each, 'SIGKILL');
      } catch {
        // it has ended by itself
      }
    }
    await this.stop();
  }

  /** Waits until it takes writes. */
  async untilPrimary(): Promise<void> {
    await until(
      async () => (await this.query('select pg_is_in_recovery()::text as standby'))[0]?.['standby'] === 'false',
      'the recovery of PostgreSQL',
    );
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.data.release();
  }

  async #with<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    const client = new Client({ connectionString: this.url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}

/** PostgreSQL runs as another user than a test that is root. */
function ownedLike(owned: string, files: readonly string[]): void {
  execFileSync('chown', ['--reference', owned, ...files]);
}
