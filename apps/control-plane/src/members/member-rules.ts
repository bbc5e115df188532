import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantCaller } from '../access/caller.js';
import { rolesWith } from '../access/permissions.js';
import type { MemberRow, MembersRepository, Role } from './members.repository.js';
import { ROLES } from './members.schema.js';

const INVITING = rolesWith('members.write');

/** The person behind a caller: members are managed by people, never by keys. @throws AppError `forbidden` */
export function personOf({ principal }: TenantCaller): string {
  if (principal.kind === 'person') return principal.subject;
  throw new AppError('forbidden', { message: 'Members are managed by people. Use an access token of your own.' });
}

/** What somebody of a role, or no member at all, may not invite anybody to become: owners are for owners. */
export function rolesNotToInvite(role: Role | undefined): readonly Role[] {
  if (role === undefined || !INVITING.includes(role)) return ROLES;
  return role === 'owner' ? [] : ['owner'];
}

/** In SQL, whether the one who sent the invitation `i` may do so now; asked when it is used, for roles change meanwhile. */
export const SENDER_MAY_INVITE = `exists (select from members m where m.tenant_id = i.tenant_id
  and m.account_id = i.invited_by and m.role = any('{${INVITING.join()}}') and (m.role = 'owner' or i.role <> 'owner'))`;

/** Refuses whoever is no owner what only owners may do. @throws AppError `forbidden` */
export async function requireOwner(tx: Transaction, members: MembersRepository, caller: TenantCaller): Promise<void> {
  const self = await members.find(tx, caller.tenantId, personOf(caller));
  if (self?.role !== 'owner') throw new AppError('forbidden', { message: 'Only an owner may make or change owners.' });
}

/**
 * Refuses what would leave a tenant without an owner whom anybody can reach, now or as soon as an identity provider says so; call it with the
 * owners locked. `after` is undefined for a removal.
 * @throws AppError `conflict`
 */
export async function requireLastingOwner(
  tx: Transaction,
  members: MembersRepository,
  { tenantId, before, after }: { readonly tenantId: string; readonly before: MemberRow; readonly after?: Role },
): Promise<void> {
  if (after === 'owner' && before.from_provider) {
    throw new AppError('conflict', {
      message: 'An identity provider can take this person away, so they cannot own the tenant.',
    });
  }
  if (before.role !== 'owner' || after === 'owner') return;
  const others = (await members.owners(tx, tenantId)).filter(({ account_id: id }) => id !== before.account_id);
  if (others.some(({ reachable }) => reachable)) return;
  const message =
    others.length === 0
      ? 'A tenant keeps its last owner. Make somebody else an owner first.'
      : 'A tenant keeps its last owner whom mails reach: the others have lost their address. Make somebody else an owner first.';
  throw new AppError('conflict', { message });
}
