import { Secret as OtpSecret, TOTP } from 'otpauth';

const STEP_SECONDS = 30;
const SECRET_BYTES = 20;
/** A code of the step before or after counts too, because clocks differ. */
const STEPS_ASIDE = 1;

/** The secret of a new authenticator app (TOTP, RFC 6238), as bytes to be sealed. */
export function newCodeSecret(): Uint8Array {
  return new OtpSecret({ size: SECRET_BYTES }).bytes;
}

/** What an app scans (`otpauth://…`), and what a person types instead. */
export function codeSetUp(secret: Uint8Array, label: string): { readonly uri: string; readonly secret: string } {
  const totp = totpOf(secret, label);
  return { uri: totp.toString(), secret: totp.secret.base32 };
}

/** The step that a code is of, for its keeper to take each step once (RFC 6238 §5.2); undefined where the code is wrong now. */
export function stepOfCode(secret: Uint8Array, code: string): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const delta = totpOf(secret, '').validate({ token: code, window: STEPS_ASIDE });
  return delta === null ? undefined : Math.floor(Date.now() / 1_000 / STEP_SECONDS) + delta;
}

function totpOf(bytes: Uint8Array, label: string): TOTP {
  const secret = new OtpSecret({ buffer: Uint8Array.from(bytes).buffer });
  return new TOTP({ issuer: 'Wharf', label, secret, period: STEP_SECONDS, digits: 6, algorithm: 'SHA1' });
}
