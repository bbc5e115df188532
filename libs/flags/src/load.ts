import type { Transaction } from '#libs/database';
import { isFlagName, type FlagName, type Flags } from './catalogue.js';
import { resolveFlags, type Decision, type FlagSettings } from './resolve.js';

interface SettingRow {
  readonly flag: string;
  readonly percent: number | null;
  readonly decided_by: 'operator' | 'tenant' | null;
  readonly enabled: boolean | null;
}

/** What is known of the flags for a tenant, in its own transaction. Flags of another version are left out. */
export async function readFlagSettings(tx: Transaction, tenantId: string): Promise<FlagSettings> {
  const rows: SettingRow[] = await tx.query(
    `select flag, percent, null as decided_by, null::boolean as enabled from feature_flags
     union all select flag, null, decided_by, enabled from tenant_feature_flags where tenant_id = $1`,
    [tenantId],
  );
  const percents: Partial<Record<FlagName, number>> = {};
  const decisions: Partial<Record<FlagName, Decision>> = {};
  for (const { flag, percent, decided_by: by, enabled } of rows) {
    if (!isFlagName(flag)) continue;
    if (percent !== null) percents[flag] = percent;
    if (by !== null && enabled !== null) decisions[flag] = { ...decisions[flag], [by]: enabled };
  }
  return { percents, decisions };
}

/** Which features are on for a tenant, in its own transaction. */
export async function loadFlags(tx: Transaction, tenantId: string): Promise<Flags> {
  return resolveFlags(tenantId, await readFlagSettings(tx, tenantId));
}
