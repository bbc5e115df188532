/** Addresses in it are nobody's, for ever (RFC 2606): those of accounts that have lost theirs to another one. */
export const NOBODYS_DOMAIN = 'lost.invalid';

/** Whether an address is nobody's: nobody signs in or up with it, is invited by it, or gets mail at it. */
export function isNobodysAddress(email: string): boolean {
  return email.endsWith(`@${NOBODYS_DOMAIN}`);
}
