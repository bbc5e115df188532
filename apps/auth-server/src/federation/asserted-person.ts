import type { GroupRole } from '#libs/openid';
import { GROUP_ROLES } from '#libs/openid';
import type { TenantProvider } from './tenant-providers.js';

/** What a provider said about somebody, with its signature checked. */
export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

/** Why somebody whom the provider signed in is not let in. */
export type Refusal = 'outside-domain' | 'no-role' | 'groups-missing' | 'not-a-member';

/** What the tenant makes of what its provider said. */
export type Judgement =
  | {
      readonly kind: 'role';
      readonly role: GroupRole;
      readonly email: string | undefined;
      /** In order, those with names that can be kept. */
      readonly groups: readonly string[];
    }
  | { readonly kind: 'refused'; readonly reason: Refusal };

const EMAIL = /^[^\s@\p{C}]{1,200}@([^\s@\p{C}]{1,253})$/u;
/** A subject is ASCII, 255 characters at most (OpenID Connect Core 1.0 §2). */
export const SUBJECT = /^[\x20-\x7e]{1,255}$/;
/** `email_verified` as providers say it, some as text; where it is absent the tenant's provider stands for its people. */
const VERIFIED: ReadonlySet<unknown> = new Set([undefined, true, 'true']);
const GROUPS_MAX = 5_000;
const GROUP = /^[^\p{Cc}\p{Cs}]{1,256}$/u;

/**
 * Judges claims by the tenant's rules. Groups that did not fit into the token (Entra ID's overage, in `_claim_names`)
 * are not the same as no groups: nobody loses or gets a role by them.
 */
export function judge(provider: TenantProvider, claims: Claims): Judgement {
  const email = emailIn(claims);
  if (!isWithin(provider.emailDomains, email)) return { kind: 'refused', reason: 'outside-domain' };
  const groups = groupsIn(provider, claims);
  if (groups === undefined) return { kind: 'refused', reason: 'groups-missing' };
  const held = new Set(provider.groupRoles.filter(({ group }) => groups.has(group)).map(({ role }) => role));
  const role = GROUP_ROLES.find((candidate) => held.has(candidate)) ?? provider.defaultRole;
  if (role === null) return { kind: 'refused', reason: 'no-role' };
  return { kind: 'role', role, email, groups: [...groups].filter((group) => GROUP.test(group)).sort() };
}

/** Whether claims lack what the judgement needs, so that it is worth asking the provider for more. */
export function lacks(provider: TenantProvider, claims: Claims): boolean {
  const groupsMissing = provider.groupClaim !== null && claims[provider.groupClaim] === undefined;
  return groupsMissing || emailIn(claims) === undefined;
}

/** The domain of an e-mail, in lower case. */
export function domainOf(email: string): string | undefined {
  return EMAIL.exec(email.trim().toLowerCase())?.[1];
}

/** An address of which the provider says anything but that it is verified says nothing; Entra ID says nothing of any. */
function emailIn({ email, email_verified: verified }: Claims): string | undefined {
  if (typeof email !== 'string' || !VERIFIED.has(verified)) return undefined;
  return domainOf(email) === undefined ? undefined : email.trim().toLowerCase();
}

function isWithin(domains: readonly string[], email: string | undefined): boolean {
  if (domains.length === 0) return true;
  const domain = email === undefined ? undefined : domainOf(email);
  return domain !== undefined && domains.includes(domain);
}

function groupsIn({ groupClaim }: TenantProvider, claims: Claims): ReadonlySet<string> | undefined {
  if (groupClaim === null) return new Set();
  const value = claims[groupClaim];
  if (value === undefined) return isElsewhere(claims['_claim_names'], groupClaim) ? undefined : new Set();
  const listed: unknown[] = Array.isArray(value) ? value : [value];
  return new Set(listed.slice(0, GROUPS_MAX).filter((group) => typeof group === 'string'));
}

function isElsewhere(claimNames: unknown, claim: string): boolean {
  return typeof claimNames === 'object' && claimNames !== null && Object.hasOwn(claimNames, claim);
}
