import { Inject, Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { OperatorRole } from '../access/operator-roles.js';
import { OperatorAccountsRepository, type OperatorRow } from '../operator-accounts/operator-accounts.repository.js';
import { OperatorAttemptsRepository, type AttemptPlace } from './operator-attempts.repository.js';
import { OperatorCredentialsRepository, type NewCredential } from '../operator-own/operator-credentials.repository.js';

/** What signing in is compared with. */
export interface SignInRow {
  readonly operator_id: string;
  readonly role: OperatorRole;
  readonly email: string;
  readonly password_hash: string | null;
  readonly totp_sealed: Buffer | null;
  readonly open: boolean;
}

const COLUMNS = `operator_id, role, email, password_hash, totp_sealed,
  disabled_at is null and enrolled_at is not null as open`;

/** How operators prove who they are. */
@Injectable()
export class OperatorSignInRepository {
  constructor(
    @Inject(OperatorAccountsRepository) private readonly accounts: OperatorAccountsRepository,
    @Inject(OperatorCredentialsRepository) private readonly credentials: OperatorCredentialsRepository,
    @Inject(OperatorAttemptsRepository) readonly attempts: OperatorAttemptsRepository,
  ) {}

  async findByEmail(tx: Transaction, email: string): Promise<SignInRow | undefined> {
    const rows: SignInRow[] = await tx.query(`select ${COLUMNS} from operator_accounts where email = $1`, [email]);
    return rows[0];
  }

  async find(tx: Transaction, operatorId: string): Promise<SignInRow | undefined> {
    const rows: SignInRow[] = await tx.query(`select ${COLUMNS} from operator_accounts where operator_id = $1`, [
      operatorId,
    ]);
    return rows[0];
  }

  async findInvited(tx: Transaction, invitationHash: string): Promise<SignInRow | undefined> {
    const rows: SignInRow[] = await tx.query(
      `select ${COLUMNS} from operator_accounts
       where invitation_hash = $1 and invitation_expires_at > now() and enrolled_at is null and disabled_at is null`,
      [invitationHash],
    );
    return rows[0];
  }

  /** Keeps what the invited operator chose, until a code confirms it. */
  async begin(
    tx: Transaction,
    id: string,
    chosen: { readonly passwordHash: string; readonly sealed: Buffer; readonly rootKeyId: string },
  ): Promise<void> {
    await tx.query(
      `update operator_accounts set password_hash = $2, totp_sealed = $3, root_key_id = $4
       where operator_id = $1 and enrolled_at is null`,
      [id, chosen.passwordHash, chosen.sealed, chosen.rootKeyId],
    );
  }

  /** Opens the account; undefined where somebody else did, or the app is another one by now. */
  async confirm(tx: Transaction, id: string, step: number, sealed: Buffer): Promise<OperatorRow | undefined> {
    const [, count] = await tx.query(
      `update operator_accounts set enrolled_at = now(), totp_last_step = $2, invitation_hash = null,
         invitation_expires_at = null
       where operator_id = $1 and enrolled_at is null and totp_sealed = $3`,
      [id, step, sealed],
    );
    return count === 1 ? this.accounts.find(tx, id) : undefined;
  }

  /**
   * Uses up the code of a step for another password and ends every session but one; false where the code was used, or the
   * password is another one by now.
   */
  async changePassword(
    tx: Transaction,
    place: AttemptPlace,
    to: { readonly step: number; readonly before: string; readonly passwordHash: string; readonly session: string },
  ): Promise<boolean> {
    const { operatorId: id } = place;
    const [, count] = await tx.query(
      `update operator_accounts set totp_last_step = $2, password_hash = $3
       where operator_id = $1 and totp_last_step < $2 and password_hash = $4 and disabled_at is null and enrolled_at is not null`,
      [id, to.step, to.passwordHash, to.before],
    );
    if (count !== 1) return false;
    await this.credentials.endOtherSessions(tx, id, to.session);
    await this.attempts.succeed(tx, place);
    return true;
  }

  /** Uses up the code of a step for a session; undefined where it was used, or the account was shut meanwhile. */
  async admit(
    tx: Transaction,
    place: AttemptPlace,
    step: number,
    session: NewCredential,
  ): Promise<OperatorRow | undefined> {
    const { operatorId: id } = place;
    const [, count] = await tx.query(
      `update operator_accounts set totp_last_step = $2, last_signed_in_at = now()
       where operator_id = $1 and totp_last_step < $2 and disabled_at is null and enrolled_at is not null`,
      [id, step],
    );
    if (count !== 1) return undefined;
    await this.credentials.insert(tx, session);
    await this.attempts.succeed(tx, place);
    return this.accounts.find(tx, id);
  }
}
