import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bubblewrapEnvironment, findBubblewrap, freePort } from '#libs/embedded';
import { selfSigned, TEST_MASTER_KEY } from '#libs/testing';
import { Client } from 'pg';
import { TcpProxy } from '../network/tcp-proxy.js';
import { Upstreams } from '../traffic/upstream.js';
import { startBalancer } from './balancer.js';
import { SmallDisk } from './disk.js';
import { KillablePostgres } from './postgres.js';
import { KillableRedis } from './redis.js';
import { KINDS, Replica, type Kind } from './replica.js';
import { ONE_OF_EACH, provideTenants, type StageTenant } from './tenants.js';

/** How many of each service there are. */
export type Copies = Readonly<Record<Kind, number>>;

/** What the suite of faults runs. */
export const MANY: Copies = { gateway: 3, 'worker-runtime': 2, 'control-plane': 2, 'auth-server': 2, background: 2 };

const INTAKE_KEY = 'an intake key for tests of 32 characters and more';
const MIGRATE_MS = 120_000;

/** A worker-runtime or a gateway, and the link that leads to it. */
export interface Linked {
  readonly replica: Replica;
  readonly link: TcpProxy;
}

/** The whole platform as it runs in a cluster: every service in several copies, with a proxy on every link. */
export interface Platform {
  readonly url: string;
  readonly operatorKey: string;
  readonly tenants: readonly StageTenant[];
  readonly upstreams: Upstreams;
  readonly postgres: KillablePostgres;
  readonly redis: KillableRedis;
  readonly gateways: readonly Linked[];
  readonly runtimes: readonly Linked[];
  readonly replicas: Readonly<Record<Kind, readonly Replica[]>>;
  /** Where the data of the first gateway and of PostgreSQL are, where this machine lets us make such disks. */
  readonly disks: { readonly spool?: SmallDisk; readonly data?: SmallDisk; readonly reason?: string };
  /** Brings the schema up to date, as before every new version; returns what the program said. */
  migrate(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it and waits until every copy is ready. `extra` is what every service has in its environment beside its own. */
export async function startPlatform(
  copies: Copies,
  wanted = ONE_OF_EACH,
  extra: Readonly<Record<string, string>> = {},
): Promise<Platform> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-faults-'));
  const certificate = selfSigned('localhost');
  writeFileSync(path.join(folder, 'upstream.pem'), certificate.cert);
  const data = SmallDisk.mount(path.join(folder, 'stores'));
  const spool = SmallDisk.mount(path.join(folder, 'gateway-1'));
  const [postgres, redis, port, upstreams, bubblewrap] = await Promise.all([
    KillablePostgres.start(path.join(folder, 'stores')),
    KillableRedis.start(),
    freePort(),
    Upstreams.start(certificate),
    findBubblewrap(path.resolve('.cache')),
  ]);
  const url = `http://localhost:${port}`;
  const operatorKey = `who_${randomBytes(32).toString('base64url')}`;
  const links = await Promise.all(Array.from({ length: copies['worker-runtime'] }, () => TcpProxy.open(0)));
  const shared = {
    PATH: process.env['PATH'] ?? '',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
    NODE_ENV: 'test',
    WHARF_LOG_LEVEL: 'warn',
    WHARF_INTAKE_KEY: INTAKE_KEY,
    // Longer than the balancer takes to see that one is not ready.
    WHARF_LEAVE_MS: '8000',
    ...extra,
  };
  const withStores = {
    ...shared,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal(),
    WHARF_PUBLIC_URL: url,
    WHARF_RUNTIME_SOCKETS: links.map((link) => `tls://127.0.0.1:${link.port}`).join(','),
    WHARF_SIGNING_KEY_CHECK_MS: '1000',
    WHARF_SIGNUPS_PER_HOUR: '1000',
    WHARF_MANAGEMENT_CALLS_PER_MINUTE: '100000',
  };
  const migrate = () => runMigrate({ ...withStores, DATABASE_URL: postgres.ownUrl, WHARF_OPERATOR_KEY: operatorKey });
  await migrate();
  await keepLogSmall(postgres.ownUrl);
  const tenants = await provideTenants(postgres.ownUrl, upstreams, wanted);

  const runtimes = await Promise.all(
    links.map(async (link, index) => {
      const intake = await freePort();
      link.aim(intake);
      const replica = await Replica.start('worker-runtime', {
        ...shared,
        ...bubblewrapEnvironment(bubblewrap),
        NODE_EXTRA_CA_CERTS: path.join(folder, 'upstream.pem'),
        WHARF_RUNTIME_ID: `runtime-${index + 1}`,
        WHARF_RUNTIME_SOCKETS: `tls://127.0.0.1:${intake}`,
        WHARF_DATA_DIR: path.join(folder, `runtime-${index + 1}`),
        WHARF_WARM_WORKERS: '1',
      });
      return { replica, link };
    }),
  );
  const started = async (kind: Kind): Promise<readonly Replica[]> => {
    if (kind === 'worker-runtime') return runtimes.map(({ replica }) => replica);
    const names = Array.from({ length: copies[kind] }, (_, index) => `${kind}-${index + 1}`);
    return Promise.all(
      names.map((name) => Replica.start(kind, { ...withStores, WHARF_DATA_DIR: path.join(folder, name) })),
    );
  };
  const byKind: Array<readonly [Kind, readonly Replica[]]> = [];
  for (const kind of KINDS) byKind.push([kind, await started(kind)]);
  const replicas = Object.fromEntries(byKind) as Record<Kind, readonly Replica[]>; // every kind has its own
  const gateways = await Promise.all(
    replicas.gateway.map(async (replica) => ({ replica, link: await TcpProxy.open(replica.port) })),
  );
  const balancer = await startBalancer(port, {
    gateway: gateways.map(({ link }) => link.port),
    auth: replicas['auth-server'].map((one) => one.port),
    control: replicas['control-plane'].map((one) => one.port),
  });
  const stop = async (): Promise<void> => {
    await balancer.close();
    const all = KINDS.flatMap((kind) => replicas[kind]);
    for (const one of all) one.signal('SIGCONT');
    await Promise.all(all.map((one) => one.end('SIGKILL')));
    await Promise.all([...gateways, ...runtimes].map(({ link }) => link.close()));
    await Promise.all([postgres.stop(), redis.stop(), upstreams.close()]);
    for (const { disk } of [data, spool]) disk?.unmount();
    rmSync(folder, { recursive: true, force: true });
  };
  const disks = {
    ...(spool.disk === undefined ? {} : { spool: spool.disk }),
    ...(data.disk === undefined ? {} : { data: data.disk }),
    ...(data.reason === undefined ? {} : { reason: data.reason }),
  };
  return { url, operatorKey, tenants, upstreams, postgres, redis, gateways, runtimes, replicas, disks, migrate, stop };
}

async function runMigrate(environment: Readonly<Record<string, string>>): Promise<string> {
  const { WHARF_INTAKE_KEY: _, WHARF_RUNTIME_SOCKETS: __, ...own } = environment;
  const child = spawn(process.execPath, [path.resolve('dist/apps/local/src/migrate/main.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: own,
    timeout: MIGRATE_MS,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`npm run migrate ended with ${String(code)}:\n${said}`);
  return said;
}

/** PostgreSQL keeps a gigabyte of log by default, which is much for a disk in memory. */
async function keepLogSmall(databaseUrl: string): Promise<void> {
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  await owner.query(`alter system set max_wal_size = '128MB'`);
  await owner.query('select pg_reload_conf()');
  await owner.end();
}
