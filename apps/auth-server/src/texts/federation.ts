/** Signing in with a tenant's own provider, in English. */
export const FEDERATION_EN = {
  federation: {
    offer: (tenant: string) =>
      `People of ${tenant} can sign in where they always do, or type their e-mail above and no password.`,
    continueWith: (name: string) => `Continue with ${name}`,
    signInWith: 'You sign in with',
    allowAndSignIn: 'Allow and sign in',
    leavingTitle: (name: string) => `Going to ${name}`,
    leaving: (name: string) => `You are being sent to ${name}`,
    leavingWhy: 'You sign in there, and then come back here.',
    failedTitle: 'Sign-in failed',
    failed: 'You could not be signed in',
    otherWay: 'Choose another way to sign in',
    onlyBack: 'This address is for the way back from a provider only.',
    outdated: 'This sign-in was finished already, took longer than ten minutes, or was begun in another browser.',
    gone: 'The provider you signed in with is not connected any more.',
    turnedAway: (name: string) => `${name} did not sign you in.`,
    unverified: (name: string) => `What ${name} sent back could not be verified.`,
    away: (name: string) =>
      `${name} cannot be reached or used at the moment. Try again in a few minutes; your administrator can see why.`,
    ask: (tenant: string) => `Ask an administrator of ${tenant} for access.`,
    outsideDomain: (tenant: string) => `Your provider named no e-mail address of a domain that ${tenant} lets in.`,
    noRole: (tenant: string) => `None of your groups has access to ${tenant}.`,
    groupsMissing: 'You are in more groups than fit into what your provider sends.',
    groupsMissingAsk: (tenant: string) =>
      `An administrator of ${tenant} can let the provider send only the groups that matter here.`,
    notAMember: (tenant: string) => `You are not a member of ${tenant}, and signing in does not make you one.`,
  },
};

/** The same in German. */
export const FEDERATION_DE: typeof FEDERATION_EN = {
  federation: {
    offer: (tenant) =>
      `Wer zu ${tenant} gehört, kann sich wie gewohnt dort anmelden oder oben die E-Mail ohne Passwort eingeben.`,
    continueWith: (name) => `Weiter mit ${name}`,
    signInWith: 'Sie melden sich an mit',
    allowAndSignIn: 'Erlauben und anmelden',
    leavingTitle: (name) => `Weiter zu ${name}`,
    leaving: (name) => `Sie werden zu ${name} geschickt`,
    leavingWhy: 'Dort melden Sie sich an und kommen dann hierher zurück.',
    failedTitle: 'Anmeldung fehlgeschlagen',
    failed: 'Sie konnten nicht angemeldet werden',
    otherWay: 'Einen anderen Weg zur Anmeldung wählen',
    onlyBack: 'Diese Adresse ist nur für den Rückweg von einem Anbieter.',
    outdated:
      'Diese Anmeldung war schon beendet, dauerte länger als zehn Minuten oder wurde in einem anderen Browser begonnen.',
    gone: 'Der Anbieter, bei dem Sie sich angemeldet haben, ist nicht mehr verbunden.',
    turnedAway: (name) => `${name} hat Sie nicht angemeldet.`,
    unverified: (name) => `Was ${name} zurückgeschickt hat, konnte nicht geprüft werden.`,
    away: (name) =>
      `${name} ist gerade nicht erreichbar oder nicht benutzbar. Versuchen Sie es in einigen Minuten noch einmal; Ihre Administration sieht den Grund.`,
    ask: (tenant) => `Bitten Sie die Administration von ${tenant} um Zugriff.`,
    outsideDomain: (tenant) => `Ihr Anbieter nannte keine E-Mail-Adresse einer Domain, die ${tenant} einlässt.`,
    noRole: (tenant) => `Keine Ihrer Gruppen hat Zugriff auf ${tenant}.`,
    groupsMissing: 'Sie sind in mehr Gruppen, als Ihr Anbieter auf einmal mitschickt.',
    groupsMissingAsk: (tenant) =>
      `Die Administration von ${tenant} kann den Anbieter nur die Gruppen schicken lassen, auf die es hier ankommt.`,
    notAMember: (tenant) => `Sie gehören nicht zu ${tenant}, und durch die Anmeldung ändert sich das nicht.`,
  },
};
