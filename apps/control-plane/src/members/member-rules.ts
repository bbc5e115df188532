import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantCaller } from '../access/caller.js';
import type { MemberRow, MembersRepository, Role } from './members.repository.js';

/** The person behind a caller: members are managed by people, never by keys. @throws AppError `forbidden` */
export function personOf({ principal }: TenantCaller): string {
  if (principal.kind === 'person') return principal.subject;
  throw new AppError('forbidden', { message: 'Members are managed by people. Use an access token of your own.' });
}

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
