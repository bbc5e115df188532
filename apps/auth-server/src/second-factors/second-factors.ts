import type { AuthenticatorApps } from './authenticator-apps.js';
import type { Passkeys } from './passkeys.js';
import type { RecoveryCodes } from './recovery-codes.js';

/** How a second factor was given. */
export interface GivenFactor {
  /** A code of the app, or a recovery code. */
  readonly code: string;
  /** What a passkey answered, as JSON; empty where none did. */
  readonly credential: string;
  /** The step of one browser that a passkey's challenge is bound to. */
  readonly bound: string;
}

/** What a person has set up. */
export interface Enrolled {
  readonly app: boolean;
  readonly passkeys: number;
}

/** How somebody proved who they are, in the words of RFC 8176. */
export const METHODS = { password: ['pwd'], code: ['otp', 'mfa'], passkey: ['pop', 'user', 'mfa'] } as const;

/** Everything that can stand beside or in place of a password. */
export class SecondFactors {
  constructor(
    readonly apps: AuthenticatorApps,
    readonly passkeys: Passkeys,
    readonly recoveryCodes: RecoveryCodes,
  ) {}

  async enrolled(accountId: string): Promise<Enrolled> {
    const [app, passkeys] = await Promise.all([this.apps.isEnrolled(accountId), this.passkeys.list(accountId)]);
    return { app, passkeys: passkeys.length };
  }

  /** Whether a password alone does not let this person in. */
  async isNeeded(accountId: string): Promise<boolean> {
    const { app, passkeys } = await this.enrolled(accountId);
    return app || passkeys > 0;
  }

  /** The methods that the given factor proves; undefined where it proves nothing. */
  async accept(accountId: string, { code, credential, bound }: GivenFactor): Promise<readonly string[] | undefined> {
    if (credential !== '') {
      return (await this.passkeys.accept(credential, bound)) === accountId ? METHODS.passkey : undefined;
    }
    const typed = code.replaceAll(/\s/g, '').slice(0, 40);
    if (await this.apps.accept(accountId, typed)) return METHODS.code;
    return (await this.recoveryCodes.accept(accountId, typed)) ? METHODS.code : undefined;
  }
}
