import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { stepOfCode } from '#libs/identity';
import { openWithMaster } from '#libs/secrets';
import type { OperatorCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { InputOf } from '../contract/contract.js';
import { sourceOf } from '../edge/source.js';
import { totpPurpose } from '../operator-sign-in/enrolment.service.js';
import type { AttemptPlace } from '../operator-sign-in/operator-attempts.repository.js';
import { OperatorSignInRepository, type SignInRow } from '../operator-sign-in/operator-sign-in.repository.js';
import { actOf } from '../operators/act.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { AttemptLimiter } from '../signup/attempt-limiter.js';
import { PasswordHasher } from '../signup/password-hasher.js';
import type { changePassword } from './operator-password.schema.js';

/** Guesses in an hour of one network, at whichever account. */
const FROM_NETWORK_MAX = 60;

type Asked = InputOf<typeof changePassword>['body'];

/**
 * Operators change their own password. A session alone, which may be a stolen one, is not enough: guesses at the password
 * and the code count with those at signing in.
 */
@Injectable()
export class OperatorPasswordService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(OperatorSignInRepository) private readonly people: OperatorSignInRepository,
    @Inject(AttemptLimiter) private readonly attempts: AttemptLimiter,
  ) {}

  /** @throws AppError `conflict` for who has not signed in, `unprocessable` in the same words whatever was wrong, `rate_limited` */
  async change(caller: OperatorCaller, asked: Asked): Promise<void> {
    const { operatorId, credential } = caller;
    if (credential.kind !== 'session') throw notSignedIn();
    const network = sourceOf(caller.origin.sourceAddress);
    await this.attempts.count('operators’ sign-in', network, FROM_NETWORK_MAX);
    const place = { operatorId, network };
    const found = await this.database.asService((tx) => this.people.find(tx, operatorId));
    const judged = await this.#judge(found, place, asked);
    if (typeof judged === 'string') return this.#refuse(caller, judged);
    const passwordHash = await this.passwords.hash(asked.new_password);
    const act = actOf(caller, { action: 'operators.change_password', reason: 'changed by its owner' });
    await this.database.asOperator(act, async (tx) => {
      const changed = { ...judged, passwordHash, session: credential.id };
      if (!(await this.people.changePassword(tx, place, changed))) throw refused();
    });
  }

  /** What the new password stands on, or what is wrong. */
  async #judge(
    found: SignInRow | undefined,
    place: AttemptPlace,
    { password, code }: Asked,
  ): Promise<{ readonly step: number; readonly before: string } | string> {
    const { password_hash: before = null, totp_sealed: sealed = null } = found ?? {};
    if (before === null || sealed === null) return 'account';
    const attempt = await this.database.asService((tx) => this.people.attempts.begin(tx, place));
    if (attempt.kind === 'locked') return 'locked';
    if (!(await this.passwords.matches(password, before))) return 'password';
    if (!(await this.database.asService((tx) => this.people.attempts.beginCode(tx, place, attempt.id))))
      return 'codes_used_up';
    const secret = openWithMaster(this.config.WHARF_MASTER_KEY, totpPurpose(place.operatorId), sealed);
    const step = stepOfCode(secret, code);
    return step === undefined ? 'code' : { step, before };
  }

  async #refuse(caller: OperatorCaller, wrong: string): Promise<never> {
    const act = actOf(caller, { action: 'operators.change_password', reason: 'refused', details: { wrong } });
    await this.database.asOperator({ ...act, outcome: 'failed' }, async () => undefined);
    throw refused();
  }
}

function notSignedIn(): AppError {
  return new AppError('conflict', {
    message: 'Only who has signed in changes their password, which keys do not have. Use POST /admin/v1/sign-in first.',
  });
}

function refused(): AppError {
  return new AppError('unprocessable', {
    message:
      'Nothing was changed. Check your present password and the code of the moment, which works once: wait for the app’s next one where you have just signed in. Failures count with those at signing in.',
    problems: [{ pointer: '', message: 'the present password or the code is not right' }],
  });
}
