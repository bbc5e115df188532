import { setTimeout as pause } from 'node:timers/promises';
import { until } from '#libs/testing';
import { Client } from 'pg';
import type { SmallDisk } from '../platform/disk.js';
import type { Platform } from '../platform/platform.js';
import type { Kind } from '../platform/replica.js';
import { FEW, IN_FLIGHT, NONE, NOTHING, WITHOUT_DATABASE, type Fault } from './fault.js';
import { oneOf } from './one-of.js';

const HELD_MS = 5_000;
/** Longer than a gateway uses a key set before it fetches it again: a minute. */
const IN_KEY_SET_MS = 75_000;
const SKEW_MINUTES = 5;
const SKEWED: readonly Kind[] = ['gateway', 'worker-runtime', 'auth-server', 'control-plane', 'background'];

/** Moves what `Date` says in a process that is started with it. */
function clockOffset(minutes: number): string {
  const source = `const Real = Date; const by = ${minutes * 60_000};
    globalThis.Date = class Date extends Real {
      constructor(...given) { if (given.length === 0) super(Real.now() + by); else super(...given); }
      static now() { return Real.now() + by; }
    };`;
  return `--import=data:text/javascript,${encodeURIComponent(source)}`;
}

/** The clock of one copy goes five minutes wrong: it is started anew so, and with the right time after that. */
export const CLOCKS: readonly Fault[] = SKEWED.flatMap((kind) =>
  [SKEW_MINUTES, -SKEW_MINUTES].map((minutes) => ({
    name: `clock-${kind}-${minutes > 0 ? 'ahead' : 'behind'}`,
    cost: { calls: FEW, again: FEW, sessions: kind === 'worker-runtime' ? IN_FLIGHT : NONE, api: FEW },
    async run(platform: Platform) {
      const skewed = oneOf(platform, kind);
      await skewed.restart(clockOffset(minutes));
      await pause(HELD_MS);
      await skewed.restart();
    },
  })),
);

const FULL: ReadonlyArray<Pick<Fault, 'name' | 'cost'> & { diskOf(platform: Platform): SmallDisk | undefined }> = [
  {
    name: 'disk-full-spool',
    // It refuses what comes to it; the other two do not.
    cost: { ...NOTHING, calls: { share: 0.5, few: 9 }, again: { share: 0.5, few: 9 } },
    diskOf: ({ disks }) => disks.spool,
  },
  {
    name: 'disk-full-postgres',
    cost: WITHOUT_DATABASE,
    diskOf: ({ disks }) => disks.data,
  },
];

/** The disk of a gateway's spool, and PostgreSQL's, have no room for five seconds. */
export const FULL_DISKS: readonly Fault[] = FULL.map(({ name, cost, diskOf }) => ({
  name,
  cost,
  skipped: (platform) =>
    diskOf(platform) === undefined ? (platform.disks.reason ?? 'no small disk could be made') : undefined,
  async run(platform) {
    const disk = diskOf(platform);
    disk?.fill();
    await pause(HELD_MS);
    disk?.free();
    await platform.postgres.startAgainIfGone();
  },
}));

/** The signing key is replaced and the schema is brought up to date while calls come. */
export const CHANGES: readonly Fault[] = [
  {
    name: 'migrate',
    cost: NOTHING,
    async run(platform) {
      await platform.migrate();
      await changeSchema(platform);
    },
  },
  { name: 'rotate-signing-key', cost: NOTHING, run: rotateSigningKey },
];

async function rotateSigningKey(platform: Platform): Promise<void> {
  const answer = await fetch(`${platform.url}/admin/v1/signing-keys/rotation`, {
    method: 'POST',
    headers: { authorization: `Bearer ${platform.operatorKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'the suite of faults' }),
  });
  if (!answer.ok) throw new Error(`no key was made: ${answer.status} ${await answer.text()}`);
  await ageKeys(platform);
  await pause(HELD_MS);
}

/**
 * The new key signs once every gateway has fetched a key set with it, and not only after its quarter of an hour there, which
 * is longer to be safe.
 */
async function ageKeys(platform: Platform): Promise<void> {
  const made = async (): Promise<boolean> =>
    (await asOwner(platform, [`select from signing_keys where signs_from > now()`])) > 0;
  await until(made, 'the new signing key');
  await pause(IN_KEY_SET_MS);
  const aged = async (): Promise<boolean> =>
    (await asOwner(platform, [`update signing_keys set signs_from = now() where signs_from > now()`])) > 0;
  await until(aged, 'the time of the new signing key');
}

/** What the next version's migrations do to tables that calls use: columns and an index, each in a transaction of its own. */
async function changeSchema(platform: Platform): Promise<void> {
  const tables = ['tenants', 'servers', 'api_keys', 'releases', 'audit_records'];
  const wait = `set lock_timeout = '5s'`;
  await asOwner(platform, [
    wait,
    ...tables.map((table) => `alter table ${table} add column of_the_next_version text`),
    `create index of_the_next_version on api_keys (tenant_id, of_the_next_version)`,
    `drop index of_the_next_version`,
    ...tables.map((table) => `alter table ${table} drop column of_the_next_version`),
  ]);
}

/** Returns how many rows the last statement changed. */
async function asOwner({ postgres }: Platform, statements: readonly string[]): Promise<number> {
  const owner = new Client({ connectionString: postgres.ownUrl });
  await owner.connect();
  let changed = 0;
  try {
    for (const statement of statements) changed = (await owner.query(statement)).rowCount ?? 0;
    return changed;
  } finally {
    await owner.end();
  }
}
