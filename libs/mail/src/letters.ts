import type { Language } from '#libs/pages';

/** What a mail says. */
export interface Letter {
  readonly subject: string;
  readonly text: string;
}

/** A mail about one thing. */
export type LetterKind = 'verifyEmail' | 'resetPassword' | 'passwordChanged' | 'secondFactorChanged';

const LETTERS: Readonly<Record<Language, Readonly<Record<LetterKind, (link: string) => Letter>>>> = {
  en: {
    verifyEmail: (link) => ({
      subject: 'Confirm your e-mail address for Wharf',
      text: `Somebody, we hope you, gave this address to Wharf. Open this page to confirm that it is yours:\n\n${link}\n\nThe link works once, for 24 hours. If it was not you, ignore this mail.\n`,
    }),
    resetPassword: (link) => ({
      subject: 'Choose a new password for Wharf',
      text: `Somebody, we hope you, asked for a new password for your account at Wharf. Choose it here:\n\n${link}\n\nThe link works once, for 30 minutes. If it was not you, ignore this mail: nothing has changed.\n`,
    }),
    passwordChanged: (link) => ({
      subject: 'Your password for Wharf was changed',
      text: `The password of your account was changed, and your other browsers were signed out. If it was not you, choose a new one at once:\n\n${link}\n`,
    }),
    secondFactorChanged: (link) => ({
      subject: 'How you sign in to Wharf was changed',
      text: `An authenticator app, a passkey or the recovery codes of your account were changed. If it was not you, look at once:\n\n${link}\n`,
    }),
  },
  de: {
    verifyEmail: (link) => ({
      subject: 'Bestätigen Sie Ihre E-Mail-Adresse für Wharf',
      text: `Jemand, hoffentlich Sie selbst, hat diese Adresse bei Wharf angegeben. Bestätigen Sie hier, dass es Ihre ist:\n\n${link}\n\nDer Link gilt einmal und 24 Stunden lang. Waren Sie es nicht, tun Sie nichts.\n`,
    }),
    resetPassword: (link) => ({
      subject: 'Neues Passwort für Wharf',
      text: `Jemand, hoffentlich Sie selbst, möchte ein neues Passwort für Ihr Konto bei Wharf. Wählen Sie es hier:\n\n${link}\n\nDer Link gilt einmal und 30 Minuten lang. Waren Sie es nicht, tun Sie nichts: Es hat sich nichts geändert.\n`,
    }),
    passwordChanged: (link) => ({
      subject: 'Ihr Passwort für Wharf wurde geändert',
      text: `Das Passwort Ihres Kontos wurde geändert, und Ihre anderen Browser wurden abgemeldet. Waren Sie es nicht, wählen Sie sofort ein neues:\n\n${link}\n`,
    }),
    secondFactorChanged: (link) => ({
      subject: 'Ihre Anmeldung bei Wharf wurde geändert',
      text: `Eine Authenticator-App, ein Passkey oder die Wiederherstellungscodes Ihres Kontos wurden geändert. Waren Sie es nicht, sehen Sie sofort nach:\n\n${link}\n`,
    }),
  },
};

/** Writes a mail in a language, with the page it leads to. */
export function letterOf(kind: LetterKind, language: Language, link: string): Letter {
  return LETTERS[language][kind](link);
}
