import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { stepOfCode } from '#libs/identity';
import { openWithMaster } from '#libs/secrets';
import { RefusalAudit } from '../access/refusal-audit.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Origin } from '../edge/origin.js';
import { sourceOf } from '../edge/source.js';
import { operatorView } from '../operator-accounts/operator-accounts.service.js';
import { mintCredential } from '../operator-own/operator-credentials.repository.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { PasswordHasher } from '../signup/password-hasher.js';
import { totpPurpose } from './enrolment.service.js';
import type { Attempt, AttemptPlace } from './operator-attempts.repository.js';
import { OperatorSignInRepository, type SignInRow } from './operator-sign-in.repository.js';
import type { signIn } from './operator-sign-in.schema.js';

const SESSION_MS = 60 * 60 * 1_000;
/** Of no account. */
const NOBODY = '00000000-0000-7000-8000-000000000000';

/** What an attempt came with. */
interface Judged {
  readonly attempt: Attempt;
  readonly place: AttemptPlace;
  readonly matches: boolean;
  readonly code: string;
}

/** Signs operators in: always by password and by a code of their app, and every failure is on record. */
@Injectable()
export class OperatorSignInService {
  #nobody: Promise<string> | undefined;

  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(OperatorSignInRepository) private readonly people: OperatorSignInRepository,
    @Inject(RefusalAudit) private readonly refusals: RefusalAudit,
  ) {}

  /** @throws AppError `unauthenticated`, in the same words whatever was wrong */
  async signIn(
    { email, password, code }: InputOf<typeof signIn>['body'],
    origin: Origin,
  ): Promise<AnswerOf<typeof signIn>> {
    const found = await this.database.asService((tx) => this.people.findByEmail(tx, email));
    const place = { operatorId: found?.operator_id ?? NOBODY, network: sourceOf(origin.sourceAddress) };
    const attempt = await this.database.asService((tx) => this.people.attempts.begin(tx, place));
    // As much work for an address that nobody has as for one that somebody does.
    const matches = await this.passwords.matches(password, found?.password_hash ?? (await this.#hashOfNobody()));
    if (found === undefined) {
      this.refusals.noteUnknown('operators.sign_in', origin.sourceAddress);
      throw refused();
    }
    if (attempt.kind === 'locked' && attempt.isTold) throw refused();
    const wrong = await this.#wrongWith(found, { attempt, place, matches, code });
    if (typeof wrong === 'string') return this.#refuse(found, wrong, origin);
    return this.#open(found, wrong.step, { ...origin, place });
  }

  async #wrongWith(found: SignInRow, { attempt, place, matches, code }: Judged): Promise<{ step: number } | string> {
    if (!found.open || found.totp_sealed === null) return 'account';
    if (attempt.kind === 'locked') return 'locked';
    if (!matches) return 'password';
    if (!(await this.database.asService((tx) => this.people.attempts.beginCode(tx, place, attempt.id))))
      return 'codes_used_up';
    const secret = openWithMaster(this.config.WHARF_MASTER_KEY, totpPurpose(found.operator_id), found.totp_sealed);
    const step = stepOfCode(secret, code);
    return step === undefined ? 'code' : { step };
  }

  async #open(
    found: SignInRow,
    step: number,
    { sourceAddress, place }: Origin & { readonly place: AttemptPlace },
  ): Promise<AnswerOf<typeof signIn>> {
    const { operator_id: operatorId, role } = found;
    const expiresAt = new Date(Date.now() + SESSION_MS);
    const { text, row } = mintCredential({ operatorId, kind: 'session', name: 'Sign-in', role, expiresAt });
    const details = { by: `session:${row.id}`, source_address: sourceAddress };
    const act = { operatorId, action: 'operators.sign_in', reason: 'signed in', details };
    const operator = await this.database.asOperator(act, async (tx) => {
      const admitted = await this.people.admit(tx, place, step, row);
      // Thrown within the transaction, so that nothing says that somebody signed in.
      if (admitted === undefined) throw refused();
      return admitted;
    });
    return { token: text, expires_at: expiresAt.toISOString(), operator: operatorView(operator) };
  }

  async #refuse({ operator_id: operatorId }: SignInRow, wrong: string, origin: Origin): Promise<never> {
    const details = { wrong, source_address: origin.sourceAddress };
    const act = { operatorId, action: 'operators.sign_in_failed', reason: 'refused', details };
    await this.database.asOperator(act, async () => undefined);
    throw refused();
  }

  #hashOfNobody(): Promise<string> {
    this.#nobody ??= this.passwords.hash('nobody has this password');
    return this.#nobody;
  }
}

/** Says the same whatever was wrong: an address, a password, a code, or an account that is closed. */
function refused(): AppError {
  return new AppError('unauthenticated', {
    message:
      'This does not sign in. Check address, password and the code of the moment, each of which works once. After five failures in a row an account stays closed to the network that they came from for fifteen minutes, and while very many fail, to every network that nobody has signed in to it from.',
  });
}
