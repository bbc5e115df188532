import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { codeSetUp, newCodeSecret, stepOfCode } from '#libs/identity';
import { masterKeyId, openWithMaster, sealWithMaster } from '#libs/secrets';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { hashOperatorSecret } from '../credentials/operator-credentials.js';
import { operatorView } from '../operator-accounts/operator-accounts.service.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { PasswordHasher } from '../signup/password-hasher.js';
import { OperatorSignInRepository, type SignInRow } from './operator-sign-in.repository.js';
import type { confirmEnrolment, enrol } from './operator-sign-in.schema.js';

/** Enrols invited operators: invited, then password and app chosen, then the app confirmed by a code. */
@Injectable()
export class EnrolmentService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(OperatorSignInRepository) private readonly people: OperatorSignInRepository,
  ) {}

  /** @throws AppError `unauthenticated` for an invitation that was taken, has ended or never was */
  async enrol({ invitation, password }: InputOf<typeof enrol>['body']): Promise<AnswerOf<typeof enrol>> {
    const { operator_id: id, email } = await this.#invited(invitation);
    const passwordHash = await this.passwords.hash(password);
    const secret = newCodeSecret();
    const sealed = sealWithMaster(this.config.WHARF_MASTER_KEY, totpPurpose(id), secret);
    const rootKeyId = masterKeyId(this.config.WHARF_MASTER_KEY);
    const act = {
      operatorId: id,
      action: 'operators.begin_enrolment',
      reason: 'invited',
      details: { by: 'invitation' },
    };
    await this.database.asOperator(act, (tx) => this.people.begin(tx, id, { passwordHash, sealed, rootKeyId }));
    return { totp: codeSetUp(secret, email) };
  }

  /** @throws AppError `unauthenticated` as above, or for a code that is wrong */
  async confirm({
    invitation,
    code,
  }: InputOf<typeof confirmEnrolment>['body']): Promise<AnswerOf<typeof confirmEnrolment>> {
    const { operator_id: id, totp_sealed: sealed } = await this.#invited(invitation);
    if (sealed === null) throw wrongCode();
    const step = stepOfCode(openWithMaster(this.config.WHARF_MASTER_KEY, totpPurpose(id), sealed), code);
    if (step === undefined) throw wrongCode();
    const act = { operatorId: id, action: 'operators.enrol', reason: 'invited', details: { by: 'invitation' } };
    const operator = await this.database.asOperator(act, async (tx) => {
      const opened = await this.people.confirm(tx, id, step, sealed);
      if (opened === undefined) throw wrongCode();
      return opened;
    });
    return { operator: operatorView(operator) };
  }

  async #invited(invitation: string): Promise<SignInRow> {
    const hash = hashOperatorSecret(invitation);
    const found = await this.database.asService((tx) => this.people.findInvited(tx, hash));
    if (found !== undefined) return found;
    throw new AppError('unauthenticated', {
      message: 'This invitation was taken, has ended or never was. Ask an admin to invite you again.',
    });
  }
}

/** What an operator's sealed authenticator secret is bound to. */
export function totpPurpose(operatorId: string): string {
  return `operator-totp:${operatorId}`;
}

function wrongCode(): AppError {
  return new AppError('unauthenticated', {
    message:
      'This is not the code of the moment of the app that was set up last. Set the app up with POST /admin/v1/enrolments, then send the code it shows now.',
  });
}
