export { deleteExpiredTokens, findToken, redeemToken, type TokenPurpose } from './account-tokens.js';
export { invitationLetter } from './invitation-letter.js';
export { letterOf, type LetterKind } from './letters.js';
export { queueLink } from './link-mail.js';
export { claimMails, forgetMail, postponeMail, queueMail, type ClaimedMail, type Mail } from './mail-outbox.js';
export { tenantLetter, type TenantNews } from './tenant-letter.js';
export { isNobodysAddress, NOBODYS_DOMAIN } from './nobodys-address.js';
