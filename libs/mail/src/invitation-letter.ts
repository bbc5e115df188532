import type { Language } from '#libs/pages';
import type { Letter } from './letters.js';

/** What an invitation says; the slug has only letters, digits and hyphens, so that nobody can make it say more. */
export interface Invitation {
  readonly tenantSlug: string;
  readonly role: string;
  readonly hours: number;
  readonly link: string;
}

/** Writes the mail that invites somebody to a tenant. */
export function invitationLetter({ tenantSlug, role, hours, link }: Invitation, language: Language): Letter {
  if (language === 'de') {
    return {
      subject: `Einladung zu ${tenantSlug} bei Wharf`,
      text: `Sie sind eingeladen, bei Wharf Mitglied von ${tenantSlug} zu werden (Rolle: ${role}). Nehmen Sie hier an:\n\n${link}\n\nDer Link gilt einmal und ${hours} Stunden lang. Kennen Sie ${tenantSlug} nicht, tun Sie nichts.\n`,
    };
  }
  return {
    subject: `You are invited to ${tenantSlug} at Wharf`,
    text: `You are invited to become a member of ${tenantSlug} at Wharf (role: ${role}). Accept here:\n\n${link}\n\nThe link works once, for ${hours} hours. If you do not know ${tenantSlug}, ignore this mail.\n`,
  };
}
