import { createHash } from 'node:crypto';
import { FEATURE_FLAGS, FLAG_NAMES, type FlagName, type Flags } from './catalogue.js';

/** What was decided for one tenant; an operator's word comes before its own. */
export interface Decision {
  readonly operator?: boolean | undefined;
  readonly tenant?: boolean | undefined;
}

/** What is known of the flags: the platform's parts of the tenants, and the decisions for this one. */
export interface FlagSettings {
  readonly percents: Readonly<Partial<Record<FlagName, number>>>;
  readonly decisions: Readonly<Partial<Record<FlagName, Decision>>>;
}

/**
 * Whether a flag is on for a tenant: as an operator decided for it; else off where the platform has it off for
 * everybody; else as the tenant chose, where the flag lets it; else by the tenant's place in the roll-out.
 */
export function isOn(flag: FlagName, tenantId: string, { percents, decisions }: FlagSettings): boolean {
  const percent = percents[flag] ?? FEATURE_FLAGS[flag].percent;
  const { operator, tenant } = decisions[flag] ?? {};
  if (operator !== undefined) return operator;
  if (percent === 0) return false;
  if (FEATURE_FLAGS[flag].tenantChooses && tenant !== undefined) return tenant;
  return placeOf(flag, tenantId) < percent;
}

/** Which features are on for a tenant. */
export function resolveFlags(tenantId: string, settings: FlagSettings): Flags {
  const on = FLAG_NAMES.map((flag) => [flag, isOn(flag, tenantId, settings)]);
  return Object.fromEntries(on) as Flags; // an entry for every name
}

/** A number from 0 to 99.99…, the same for the same pair: a flag that is rolled out further keeps the tenants it has. */
function placeOf(flag: FlagName, tenantId: string): number {
  const hash = createHash('sha256').update(`${flag}|${tenantId}`).digest();
  return (hash.readUInt32BE(0) / 0x1_0000_0000) * 100;
}
