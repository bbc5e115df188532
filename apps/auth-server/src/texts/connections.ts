import { html } from '#libs/pages';

/** People's own logins at upstreams, in English. */
export const CONNECTIONS_EN = {
  connections: {
    title: 'Your logins elsewhere',
    as: (email: string) =>
      html`You are signed in as <b>${email}</b>. What you log in to here acts for you and nobody else.`,
    what: 'Agents that you let use a server below act with your own login there. They never see your password.',
    none: 'No server that you can use needs a login elsewhere.',
    for: 'Used by servers of',
    at: 'You log in at',
    sends: 'Your access is sent to',
    state: 'State',
    states: {
      connected: 'Logged in',
      reconnect: 'Ended there: log in again',
      none: 'Not logged in',
    },
    connect: (title: string) => `Log in at ${title}`,
    reconnect: (title: string) => `Log in again at ${title}`,
    disconnect: 'Log out',
    disconnectFrom: (title: string) => `Log out of ${title}`,
    all: 'All your logins elsewhere',
    account: 'Password and sign-in',
    done: 'You are logged in. Go back to your app and try again there.',
    missing: 'There is nothing to log in to here',
    missingWhy: (email: string) =>
      `${email} has no access to it, or it is gone. If you have another account, sign in with that.`,
    away: (title: string) => `${title} cannot be reached or used at the moment. Try again in a few minutes.`,
    failed: 'You were not logged in',
    onlyBack: 'This address is for the way back from another service only.',
    outdated:
      'This login was finished already, took longer than ten minutes, or was begun by somebody else or in another browser.',
    awayNow: 'The other service could not be reached.',
    refused: 'The other service did not log you in, or what it sent back could not be verified.',
    tryAgain: 'Open the page where you began and try again.',
  },
};

/** The same in German. */
export const CONNECTIONS_DE: typeof CONNECTIONS_EN = {
  connections: {
    title: 'Ihre Anmeldungen anderswo',
    as: (email) => html`Sie sind angemeldet als <b>${email}</b>. Was Sie hier verbinden, handelt nur für Sie.`,
    what: 'Agenten, denen Sie einen Server unten erlaubt haben, handeln dort mit Ihrer eigenen Anmeldung. Ihr Passwort sehen sie nie.',
    none: 'Kein Server, den Sie nutzen können, braucht eine Anmeldung anderswo.',
    for: 'Genutzt von Servern von',
    at: 'Sie melden sich an bei',
    sends: 'Ihr Zugang wird gesendet an',
    state: 'Zustand',
    states: {
      connected: 'Angemeldet',
      reconnect: 'Dort beendet: bitte neu anmelden',
      none: 'Nicht angemeldet',
    },
    connect: (title) => `Bei ${title} anmelden`,
    reconnect: (title) => `Bei ${title} neu anmelden`,
    disconnect: 'Abmelden',
    disconnectFrom: (title) => `Von ${title} abmelden`,
    all: 'Alle Ihre Anmeldungen anderswo',
    account: 'Passwort und Anmeldung',
    done: 'Sie sind angemeldet. Gehen Sie zurück zu Ihrer App und versuchen Sie es dort erneut.',
    missing: 'Hier gibt es nichts anzumelden',
    missingWhy: (email) =>
      `${email} hat keinen Zugang, oder es gibt dies nicht mehr. Wenn Sie ein anderes Konto haben, melden Sie sich damit an.`,
    away: (title) => `${title} ist zurzeit nicht erreichbar oder nutzbar. Versuchen Sie es in einigen Minuten erneut.`,
    failed: 'Sie wurden nicht angemeldet',
    onlyBack: 'Diese Adresse ist nur für den Rückweg von einem anderen Dienst.',
    outdated:
      'Diese Anmeldung war schon beendet, dauerte länger als zehn Minuten oder wurde von jemand anderem oder in einem anderen Browser begonnen.',
    awayNow: 'Der andere Dienst war nicht erreichbar.',
    refused: 'Der andere Dienst hat Sie nicht angemeldet, oder seine Antwort ließ sich nicht prüfen.',
    tryAgain: 'Öffnen Sie die Seite, auf der Sie begonnen haben, und versuchen Sie es erneut.',
  },
};
