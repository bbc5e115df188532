import type { z } from 'zod';
import { FEATURE_FLAGS, FLAG_NAMES, isOn, type FlagName, type FlagSettings } from '#libs/flags';
import { pageByKey, type Page, type PageQuery } from '../paging/cursor.js';
import type { tenantFlagSchema } from './feature-flags.schema.js';

/** A decision as the APIs show it. */
export function stateOf(decided: boolean | undefined): 'on' | 'off' | 'default' {
  if (decided === undefined) return 'default';
  return decided ? 'on' : 'off';
}

/** A flag as it is for a tenant. */
export function flagView(flag: FlagName, tenantId: string, settings: FlagSettings): z.input<typeof tenantFlagSchema> {
  const { description, tenantChooses } = FEATURE_FLAGS[flag];
  return {
    flag,
    description,
    enabled: isOn(flag, tenantId, settings),
    chosen: stateOf(settings.decisions[flag]?.tenant),
    tenant_chooses: tenantChooses,
  };
}

/** A page of the flags' names. */
export function flagPage(query: PageQuery): Page<FlagName> {
  return pageByKey(FLAG_NAMES.toSorted(), (flag) => flag, 'ascending', query);
}
