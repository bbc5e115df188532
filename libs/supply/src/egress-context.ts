import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { canonicalJson, sha256Digest, type EgressContext } from '#libs/protocol';
import type { TenantVault } from '#libs/secrets';

/** Everything that a runtime is told of a tenant, but for the secrets' values. */
interface Choices {
  readonly allowances: EgressContext['allowances'];
  readonly ranges: NonNullable<EgressContext['ranges']>;
  /** Server slug → how old an answer may be that stands in for a failing upstream. */
  readonly staleAnswers: Readonly<Record<string, number>>;
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
  const servers: Array<{ slug: string; seconds: number }> = await tx.query(
    `select slug, stale_answers_max_age_seconds as seconds from servers
     where tenant_id = $1 and stale_answers order by slug`,
    [tenantId],
  );
  return {
    allowances: allowed.flatMap(({ host, port }) => (host === null ? [] : [{ host, port }])),
    ranges: allowed.flatMap(({ range, port }) => (range === null ? [] : [{ range, port }])),
    staleAnswers: Object.fromEntries(servers.map(({ slug, seconds }) => [slug, seconds])),
    workerMemoryMb: await workerMemoryOf(tx, tenantId),
  };
}

async function workerMemoryOf(tx: Transaction, tenantId: string): Promise<number> {
  const [plan]: Array<{ worker_memory_mb: number }> = await tx.query(
    `select p.worker_memory_mb from tenants t join plans p on p.name = t.plan where t.id = $1`,
    [tenantId],
  );
  if (plan === undefined) throw new AppError('not_found', { detail: { tenantId } });
  return plan.worker_memory_mb;
}

async function versionOf(tx: Transaction, tenantId: string, choices: Choices): Promise<string> {
  const secrets: Array<{ name: string; version: number; written: string }> = await tx.query(
    `select name, version, created_at::text as written from secrets where tenant_id = $1 order by name`,
    [tenantId],
  );
  const written = secrets.map((secret) => [`${secret.name}@${secret.written}`, secret.version]);
  return sha256Digest(canonicalJson({ secrets: written, ...choices }));
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
    secrets: Object.fromEntries([...secrets].map(([name, secret]) => [name, secret.value])),
    allowances: choices.allowances,
    ranges: choices.ranges,
    ...(tokenKey === undefined ? {} : { tokenKey: tokenKey.toString('base64') }),
    ...(key === undefined
      ? {}
      : { staleAnswers: { key: key.toString('base64'), maxAgeSeconds: choices.staleAnswers } }),
  };
}
