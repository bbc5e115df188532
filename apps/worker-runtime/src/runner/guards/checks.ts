import isCreditCard from 'validator/lib/isCreditCard.js';
import isEmail from 'validator/lib/isEmail.js';
import isIBAN from 'validator/lib/isIBAN.js';
import isIP from 'validator/lib/isIP.js';
import type { PersonalDataKind } from '#libs/protocol';

/** Whether a candidate is what it looks like: how many of its characters are; none where it is something else. */
export type Check = (candidate: string) => number;

const CARD_DIGITS_OF_5 = 16;
const IBAN_LENGTH_MIN = 15;

/** The checks of these kinds; what a kind needs is loaded with its first use. */
export async function checksOf(kinds: readonly PersonalDataKind[]): Promise<ReadonlyMap<PersonalDataKind, Check>> {
  const isPhone = kinds.includes('phone') ? await phoneCheck() : none;
  const checks: Readonly<Record<PersonalDataKind, Check>> = {
    email: (candidate) => whole(candidate, isEmail.default(candidate)),
    phone: isPhone,
    credit_card: (candidate) => whole(candidate, isCard(candidate)),
    iban: ibanLength,
    ip_address: (candidate) => whole(candidate, isAddress(candidate)),
  };
  return new Map(kinds.map((kind) => [kind, checks[kind]]));
}

/** Numbers with a country's code, and North American ones as they are written there. */
async function phoneCheck(): Promise<Check> {
  const [{ isValidPhoneNumber }, { default: metadata }] = await Promise.all([
    import('libphonenumber-js/core'),
    import('libphonenumber-js/min/metadata'),
  ]);
  return (candidate) => {
    const international = candidate.replace(/^00/, '+');
    const isValid = international.startsWith('+')
      ? isValidPhoneNumber(international, metadata)
      : isValidPhoneNumber(international, 'US', metadata);
    return whole(candidate, isValid);
  };
}

/** Luhn's sum, and an issuer's beginning and length. */
function isCard(candidate: string): boolean {
  const digits = candidate.replaceAll(/\D/g, '');
  if (digits.startsWith('5') && digits.length !== CARD_DIGITS_OF_5) return false;
  return isCreditCard.default(digits);
}

/** A candidate may go on with words that are no part of it: as many of its groups as are an IBAN. */
function ibanLength(candidate: string): number {
  for (let end = candidate.length; end >= IBAN_LENGTH_MIN; end = lastSeparator(candidate, end))
    if (isIBAN.default(candidate.slice(0, end).replaceAll(/[^A-Za-z0-9]/g, ''))) return end;
  return 0;
}

function lastSeparator(text: string, before: number): number {
  let at = before - 1;
  while (at > 0 && /[A-Za-z0-9]/.test(text.charAt(at))) at -= 1;
  return at;
}

/** `a::b` and `::1` are addresses by the letter, and operators or a loopback in most texts. */
function isAddress(candidate: string): boolean {
  if (!candidate.includes(':')) return isIP.default(candidate, 4);
  return isIP.default(candidate, 6) && /\d/.test(candidate) && candidate.replaceAll(':', '').length >= 5;
}

function whole(candidate: string, is: boolean): number {
  return is ? candidate.length : 0;
}

const none: Check = () => 0;
