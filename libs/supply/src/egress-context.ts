import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { canonicalJson, secretPlaceOf, sha256Digest, type EgressContext } from '#libs/protocol';
import type { StoredSecret, TenantVault } from '#libs/secrets';

/** Everything that a runtime is told of a tenant, but for the secrets' values. */
interface Choices {
  readonly allowances: EgressContext['allowances'];
  readonly ranges: NonNullable<EgressContext['ranges']>;
  /** Slug of an environment → the hosts that are all it may reach. */
  readonly onlyHostsOf?: Readonly<Record<string, readonly string[]>>;
  /** Server slug → how old an answer may be that stands in for a failing upstream. */
  readonly staleAnswers: Readonly<Record<string, number>>;
  readonly breakerOrders?: NonNullable<EgressContext['breakerOrders']>;
  /** What the tenant's plan gives each of its workers. */
  readonly workerMemoryMb: number;
}

const ANSWERS = 'last-answers';
const TOKENS = 'upstream-tokens';

async function choicesOf(tx: Transaction, tenantId: string): Promise<Choices> {
  const allowed: Array<{ host: string | null; range: string | null; port: number }> = await tx.query(
    `select host, range::text, port from egress_allowances where tenant_id = $1 order by host, range, port`,
    [tenantId],
  );
  const servers: Array<{ slug: string; seconds: number | null; hosts: string[] | null }> = await tx.query(
    `select slug, case when stale_answers then stale_answers_max_age_seconds end as seconds, egress_hosts as hosts
     from servers where tenant_id = $1 and (stale_answers or egress_hosts is not null) order by slug`,
    [tenantId],
  );
  const bounded = servers.flatMap(({ slug, hosts }) => (hosts === null ? [] : [[slug, hosts] as const]));
  return {
    allowances: allowed.flatMap(({ host, port }) => (host === null ? [] : [{ host, port }])),
    ranges: allowed.flatMap(({ range, port }) => (range === null ? [] : [{ range, port }])),
    ...(bounded.length === 0 ? {} : { onlyHostsOf: Object.fromEntries(bounded) }),
    staleAnswers: Object.fromEntries(
      servers.flatMap(({ slug, seconds }) => (seconds === null ? [] : [[slug, seconds]])),
    ),
    ...(await breakerOrdersOf(tx, tenantId)),
    workerMemoryMb: await workerMemoryOf(tx, tenantId),
  };
}

/** What operators said of late; older words have had their effect. */
async function breakerOrdersOf(tx: Transaction, tenantId: string): Promise<Pick<Choices, 'breakerOrders'>> {
  const orders: Array<{ origin: string; open_until: Date | null; reset_at: Date | null }> = await tx.query(
    `select origin, open_until, reset_at from breaker_orders
     where tenant_id = $1 and (open_until > now() or reset_at > now() - interval '1 day') order by origin limit 200`,
    [tenantId],
  );
  if (orders.length === 0) return {};
  return {
    breakerOrders: orders.map(({ origin, open_until: until, reset_at: reset }) => ({
      origin,
      ...(until === null ? {} : { openUntilMs: until.getTime() }),
      ...(reset === null ? {} : { resetAtMs: reset.getTime() }),
    })),
  };
}

async function workerMemoryOf(tx: Transaction, tenantId: string): Promise<number> {
  const [plan]: Array<{ worker_memory_mb: number }> = await tx.query(`select p.worker_memory_mb from plan_of($1) p`, [
    tenantId,
  ]);
  if (plan === undefined) throw new AppError('not_found', { detail: { tenantId } });
  return plan.worker_memory_mb;
}

async function versionOf(tx: Transaction, tenantId: string, choices: Choices): Promise<string> {
  const secrets: Array<{ name: string; version: number; written: string }> = await tx.query(
    `select name, version, created_at::text as written from secrets where tenant_id = $1 order by name`,
    [tenantId],
  );
  const written = secrets.map((secret) => [`${secret.name}@${secret.written}`, secret.version]);
  const [dataKey]: Array<{ id: string }> = await tx.query(
    `select id from data_keys where tenant_id = $1 order by created_at desc, id desc limit 1`,
    [tenantId],
  );
  return sha256Digest(canonicalJson({ secrets: written, dataKey: dataKey?.id ?? null, ...choices }));
}

/** The version of what a runtime is told of a tenant: changes with every secret written and every choice made for it. */
export async function contextVersion(tx: Transaction, tenantId: string): Promise<string> {
  return versionOf(tx, tenantId, await choicesOf(tx, tenantId));
}

/** What egress may use for a tenant, in plain: hand it to the runtime and forget it. */
export async function loadEgressContext(tx: Transaction, tenantId: string, vault: TenantVault): Promise<EgressContext> {
  const choices = await choicesOf(tx, tenantId);
  // The version first: a secret written between the two reads then makes the next version differ and is fetched again.
  const version = await versionOf(tx, tenantId, choices);
  const secrets = await vault.readSecrets(tx, tenantId);
  const wanted = Object.keys(choices.staleAnswers).length > 0;
  const key = wanted ? await vault.findDerivedKey(tx, tenantId, ANSWERS) : undefined;
  const tokenKey = await vault.findDerivedKey(tx, tenantId, TOKENS);
  return {
    version,
    workerMemoryMb: choices.workerMemoryMb,
    ...byEnvironment(secrets),
    ...(choices.onlyHostsOf === undefined ? {} : { onlyHostsOf: choices.onlyHostsOf }),
    ...(choices.breakerOrders === undefined ? {} : { breakerOrders: choices.breakerOrders }),
    allowances: choices.allowances,
    ranges: choices.ranges,
    ...(tokenKey === undefined ? {} : { tokenKey: tokenKey.toString('base64') }),
    ...(key === undefined
      ? {}
      : { staleAnswers: { key: key.toString('base64'), maxAgeSeconds: choices.staleAnswers } }),
  };
}

/** Production's secrets by name, and those of every other environment. */
function byEnvironment(
  stored: ReadonlyMap<string, StoredSecret>,
): Required<Pick<EgressContext, 'secrets' | 'environments'>> {
  const secrets: Array<[string, string]> = [];
  const others = new Map<string, Array<[string, string]>>();
  for (const [place, { value }] of stored) {
    const { environment, name } = secretPlaceOf(place);
    if (environment === undefined) secrets.push([name, value]);
    else others.set(environment, [...(others.get(environment) ?? []), [name, value]]);
  }
  const environments = [...others].map(([name, entries]) => [name, { secrets: Object.fromEntries(entries) }]);
  return { secrets: Object.fromEntries(secrets), environments: Object.fromEntries(environments) };
}
