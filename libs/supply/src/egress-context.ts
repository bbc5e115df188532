import type { Transaction } from '#libs/database';
import { canonicalJson, sha256Digest, type EgressContext } from '#libs/protocol';
import type { TenantVault } from '#libs/secrets';

interface Allowance {
  readonly host: string;
  readonly port: number;
}

async function allowancesOf(tx: Transaction, tenantId: string): Promise<Allowance[]> {
  return tx.query(`select host, port from egress_allowances where tenant_id = $1 order by host, port`, [tenantId]);
}

function versionOf(secrets: ReadonlyArray<readonly [string, number]>, allowances: readonly Allowance[]): string {
  return sha256Digest(canonicalJson({ secrets, allowances }));
}

/** The version of what egress may use for a tenant: changes with every secret written and every allowance. */
export async function contextVersion(tx: Transaction, tenantId: string): Promise<string> {
  const secrets: Array<{ name: string; version: number; written: string }> = await tx.query(
    `select name, version, created_at::text as written from secrets where tenant_id = $1 order by name`,
    [tenantId],
  );
  return versionOf(
    secrets.map((secret) => [`${secret.name}@${secret.written}`, secret.version] as const),
    await allowancesOf(tx, tenantId),
  );
}

/** What egress may use for a tenant, in plain: hand it to the runtime and forget it. */
export async function loadEgressContext(tx: Transaction, tenantId: string, vault: TenantVault): Promise<EgressContext> {
  // The version first: a secret written between the two reads then makes the next version differ and is fetched again.
  const version = await contextVersion(tx, tenantId);
  const secrets = await vault.readSecrets(tx, tenantId);
  return {
    version,
    secrets: Object.fromEntries([...secrets].map(([name, secret]) => [name, secret.value])),
    allowances: await allowancesOf(tx, tenantId),
  };
}
