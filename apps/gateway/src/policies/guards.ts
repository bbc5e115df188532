import { LRUCache } from 'lru-cache';
import { RuleSet } from '#libs/policies';
import type { TenantRoutes } from '../routing/tenants.repository.js';

const TENANTS_MAX = 2_000;

/** Rules by their tenant and what they say: routes are read again far more often than rules change. */
const compiled = new LRUCache<string, { readonly written: string; readonly rules: RuleSet }>({ max: TENANTS_MAX });

/** What a tenant's calls are judged by; undefined where it has no rules, and no server of its asks for approvals. */
export function guardOf({ tenantId, rules, servers }: TenantRoutes): RuleSet | undefined {
  if (rules.length === 0 && !servers.some(({ approvesDestructive }) => approvesDestructive)) return undefined;
  const written = JSON.stringify(rules);
  const known = compiled.get(tenantId);
  if (known?.written === written) return known.rules;
  const made = new RuleSet(rules);
  compiled.set(tenantId, { written, rules: made });
  return made;
}
