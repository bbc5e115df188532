import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { isUniqueViolation, newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Origin } from '../edge/origin.js';
import { MembersRepository } from '../members/members.repository.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { PasswordHasher } from '../signup/password-hasher.js';
import { tenantUrls } from '../tenants/tenant-view.js';
import { hashInvitation, tenantOfInvitation } from './invitation-token.js';
import { InvitationsRepository, type FoundInvitation, type InvitationState } from './invitations.repository.js';
import type { acceptInvitation } from './invitations.schema.js';

/** Whose account becomes a member: one that is there and whose password was given, or one to create. */
interface Invitee {
  readonly accountId: string;
  /** Of an account to create. */
  readonly passwordHash: string | undefined;
}

/** What somebody accepts an invitation with. */
interface Given {
  readonly tenantId: string;
  readonly tokenHash: string;
  readonly password: string;
  readonly origin: Origin;
}

/**
 * Makes members of people who were invited. The token proves the address and the password the account, so that neither
 * an account that somebody opened with another's address nor a mail that somebody else reads is enough.
 */
@Injectable()
export class AcceptanceService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(InvitationsRepository) private readonly invitations: InvitationsRepository,
    @Inject(MembersRepository) private readonly members: MembersRepository,
  ) {}

  /** @throws AppError `not_found` for a token that opens nothing, `conflict` for the wrong password */
  async accept(
    { token, password }: InputOf<typeof acceptInvitation>['body'],
    origin: Origin,
  ): Promise<AnswerOf<typeof acceptInvitation>> {
    const tenantId = tenantOfInvitation(token);
    if (tenantId === undefined) throw shut(undefined);
    const given = { tenantId, tokenHash: hashInvitation(token), password, origin };
    const { slug, role } = await this.#accept(given).catch((error: unknown) => {
      // Another request has made the account meanwhile. It may have been this person's own: what it left is looked at anew.
      if (isUniqueViolation(error, 'accounts_email_key')) return this.#accept(given);
      throw error;
    });
    return { tenant: slug, role, urls: tenantUrls(this.config.WHARF_PUBLIC_URL, slug) };
  }

  async #accept({ password, ...given }: Given): Promise<FoundInvitation> {
    const { tenantId } = given;
    const invitation = await this.database.asTenant(tenantId, (tx) => this.#getOpen(tx, given));
    if (invitation.status !== 'active') throw new AppError('tenant_suspended');
    const invitee = await this.#inviteeFor(invitation, password);
    try {
      await this.database.asTenantWithShared(tenantId, (tx, shared) =>
        this.#join(tx, shared, { ...given, invitation, invitee }),
      );
    } catch (error) {
      if (!isUniqueViolation(error) || isUniqueViolation(error, 'accounts_email_key')) throw error;
      throw new AppError('conflict', { message: 'You are a member already.' });
    }
    return invitation;
  }

  /** @throws AppError `not_found` for one that opens nothing, or nothing any more */
  async #getOpen(
    tx: Transaction,
    { tenantId, tokenHash }: Pick<Given, 'tenantId' | 'tokenHash'>,
  ): Promise<FoundInvitation> {
    const found = await this.invitations.findByToken(tx, tenantId, tokenHash);
    if (found?.state !== 'open') throw shut(found?.state);
    return found;
  }

  async #inviteeFor({ email }: FoundInvitation, password: string): Promise<Invitee> {
    const account = await this.database.asService((tx) => this.invitations.findAccount(tx, email));
    if (account === undefined) return { accountId: newId(), passwordHash: await this.passwords.hash(password) };
    if (!(await this.passwords.matches(password, account.password_hash))) throw notTheAccount();
    return { accountId: account.id, passwordHash: undefined };
  }

  async #join(
    tx: Transaction,
    shared: Transaction,
    given: Omit<Given, 'password'> & { readonly invitation: FoundInvitation; readonly invitee: Invitee },
  ): Promise<void> {
    const { tenantId, invitation, invitee, origin } = given;
    const { accountId, passwordHash } = invitee;
    if (passwordHash !== undefined) {
      await this.invitations.insertAccount(shared, accountId, invitation.email, passwordHash);
    }
    if (shared !== tx) await this.invitations.copyAccount(tx, accountId, invitation.email);
    if (!(await this.invitations.accept(tx, tenantId, invitation.id, accountId))) {
      throw shut((await this.invitations.findByToken(tx, tenantId, given.tokenHash))?.state);
    }
    const { role, groups } = invitation;
    await this.members.insert(tx, tenantId, { accountId, role, groups });
    const done = { actor: { kind: 'person', id: accountId }, outcome: 'ok', ...origin } as const;
    await appendAudit(tx, tenantId, [
      { ...done, event: 'invitation.accepted', target: `invitation:${invitation.id}`, details: { role } },
      { ...done, event: 'member.added', target: `account:${accountId}`, details: { role } },
    ]);
  }
}

/** Whoever has the token was sent it, and may know what became of the invitation. */
function shut(state: InvitationState | undefined): AppError {
  const message =
    state === 'accepted'
      ? 'This invitation was accepted already. Sign in with the account that accepted it.'
      : 'This invitation does not work: it was withdrawn or has expired. Ask for a new one.';
  return new AppError('not_found', { message });
}

function notTheAccount(): AppError {
  return new AppError('conflict', {
    message:
      'There is an account with this e-mail address, and this is not its password. Give that, or choose a new one.',
  });
}
