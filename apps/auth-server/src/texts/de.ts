import { html } from '#libs/pages';
import { ERRORS_DE } from './errors.js';
import { CONNECTIONS_DE } from './connections.js';
import { FEDERATION_DE } from './federation.js';
import { SCOPES_AND_DEVICES_DE } from './scopes-and-devices.js';
import type { Texts } from './en.js';

/** Every sentence of our pages in German. */
export const DE: Texts = {
  language: 'de',
  problem: 'Problem: ',
  startOver: 'Gehen Sie zurück zu Ihrer App und verbinden Sie von dort aus neu.',
  wait: (minutes) =>
    `Zu viele Versuche. Warten Sie ${minutes} ${minutes === 1 ? 'Minute' : 'Minuten'} und versuchen Sie es dann noch einmal.`,
  never: 'nie',

  ...SCOPES_AND_DEVICES_DE,
  ...FEDERATION_DE,
  ...ERRORS_DE,
  ...CONNECTIONS_DE,

  signIn: {
    title: 'Anmelden',
    headingAt: (tenant) => `Bei ${tenant} anmelden`,
    headingOwn: 'Bei Ihrem Konto anmelden',
    why: (url) =>
      html`Eine App möchte <b>${url}</b> für Sie benutzen. Darüber entscheiden Sie, wenn Sie angemeldet sind.`,
    email: 'E-Mail',
    password: 'Passwort',
    submit: 'Anmelden',
    cancel: 'Abbrechen',
    passkey: 'Mit einem Passkey anmelden',
    forgot: 'Passwort vergessen?',
    wrong: 'E-Mail oder Passwort ist falsch. Prüfen Sie beides und versuchen Sie es noch einmal.',
    wrongPasskey:
      'Dieser Passkey wurde nicht angenommen. Versuchen Sie es noch einmal, oder melden Sie sich mit Passwort an.',
    passkeyFailed: 'Der Browser gab keinen Passkey. Versuchen Sie es noch einmal, oder nehmen Sie einen anderen Weg.',
  },
  second: {
    title: 'Bestätigen Sie, dass Sie es sind',
    heading: 'Bestätigen Sie, dass Sie es sind',
    as: (email) => html`Das Passwort für <b>${email}</b> stimmt. Ein Schritt fehlt noch.`,
    code: 'Code aus Ihrer Authenticator-App oder ein Wiederherstellungscode',
    recoveryCode: 'Wiederherstellungscode',
    submit: 'Bestätigen',
    passkey: 'Einen Passkey benutzen',
    other: 'Ein anderes Konto benutzen',
    wrong:
      'Das wurde nicht angenommen. Jeder Code gilt einmal; warten Sie auf den nächsten, oder nehmen Sie einen Wiederherstellungscode.',
  },
  consent: {
    title: 'Zugriff erlauben',
    heading: (tenant) => `Darf eine App ${tenant} benutzen?`,
    name: 'Die App nennt sich (niemand hat diesen Namen geprüft)',
    noName: 'Sie nennt keinen Namen',
    back: 'Danach gelangen Sie zu',
    runsOn: 'Sie läuft auf',
    otherDevice: 'einem anderen Gerät, das den eingegebenen Code zeigt',
    uses: 'Sie darf in Ihrem Namen benutzen',
    means: 'Das heißt',
    passesOn: 'Auch weitergegeben werden kann es',
    passesOnTo: (slug, servers) =>
      `${slug} darf für Sie ${servers} benutzen, mit so viel Recht, wie Sie hier geben: lesen, wo es lesen darf, und ändern nur, wo es alles ändern darf.`,
    as: 'Angemeldet als',
    allow: 'Erlauben',
    deny: 'Ablehnen',
    other: 'Ein anderes Konto benutzen',
    ownComputerHost: (host) => `${host} (Ihr eigener Computer)`,
    installedApp: (scheme) => `einer hier installierten App (${scheme})`,
    ownComputer:
      'Die App läuft auf Ihrem eigenen Computer. Jedes Programm dort kann diesen Namen behaupten: Erlauben Sie es nur, wenn Sie die Verbindung gerade selbst begonnen haben.',
  },
  noAccess: {
    title: 'Kein Zugriff',
    heading: (tenant) => `Sie haben keinen Zugriff auf ${tenant}`,
    notMember: (email, tenant, url) =>
      html`Das Konto <b>${email}</b> gehört nicht zu <b>${tenant}</b>, darum kann keine App <b>${url}</b> dafür
        benutzen.`,
    noRole: (email, tenant, url) =>
      html`Das Konto <b>${email}</b> hat bei <b>${tenant}</b> keine Rolle für die Verwaltungs-API, darum kann keine App
        <b>${url}</b> dafür benutzen.`,
    notNamed: (email, tenant, url) =>
      html`Das Konto <b>${email}</b> gehört zu <b>${tenant}</b>, aber <b>${url}</b> ist nur für bestimmte Personen und
        Gruppen offen, und es ist nicht darunter.`,
    deviceTold:
      'Ihr Gerät hat das erfahren und wartet nicht mehr. Für ein anderes Konto wählen Sie es hier und beginnen am Gerät neu.',
    who: (tenant) =>
      `Wer ${tenant} besitzt oder verwaltet, kann Ihnen Zugriff geben. Verbinden Sie danach von Ihrer App aus neu.`,
    back: 'Zurück zur App',
  },
  messages: {
    expired: 'Diese Seite ist abgelaufen',
    expiredWhy:
      'Die Verbindung war schon beendet, dauerte länger als 15 Minuten oder wurde in einem anderen Browser begonnen.',
    gone: 'Diese Adresse gibt es nicht mehr',
    goneWhat: 'Fragen Sie, von wem Sie sie haben, nach der neuen.',
    forged: 'Dieses Formular kann nicht angenommen werden',
    forgedWhy: 'Es kam nicht von der Seite, die wir Ihnen gezeigt haben, oder die Seite ist veraltet.',
    openAnew: 'Öffnen Sie die Seite neu.',
    signedOut: 'Sie sind abgemeldet',
    signedOutNext: 'Dann können Sie sich mit einem anderen Konto anmelden.',
    notPossible: 'Das geht hier nicht',
  },
  sessions: {
    title: 'Zugriff Ihrer Agenten',
    as: (email) =>
      html`Sie sind als <b>${email}</b> angemeldet. Diese Apps können für Sie handeln. Was Sie beenden, hört binnen
        Sekunden auf.`,
    none: 'Keine App hat Zugriff.',
    noName: 'Eine App ohne Namen',
    uses: 'Darf benutzen',
    back: 'Schickt Sie zurück zu',
    unknown: 'unbekannt',
    clientId: 'Client-ID',
    since: 'Seit',
    lastUsed: 'Zuletzt benutzt',
    end: 'Zugriff beenden',
    endOf: (name, url) => `Zugriff von ${name} auf ${url} beenden`,
    security: 'Passwort und Anmeldung',
    signOut: 'In diesem Browser abmelden',
  },
  security: {
    title: 'Passwort und Anmeldung',
    as: (email) => html`Sie sind als <b>${email}</b> angemeldet.`,
    agents: 'Zugriff Ihrer Agenten',
    elsewhere: 'Sie melden sich beim Anbieter Ihrer Firma an. Wie Sie das tun, regeln Sie dort.',
    address: 'E-Mail-Adresse',
    verified: 'Bestätigt.',
    unverified:
      'Noch nicht bestätigt. Bis dahin können Sie weder eine Authenticator-App noch einen Passkey einrichten und keinen weiteren Mandanten eröffnen. Öffnen Sie den Link aus unserer Mail.',
    sendAgain: 'Link noch einmal schicken',
    sent: 'Falls die Adresse noch zu bestätigen ist, ist eine Mail unterwegs.',
    password: 'Passwort',
    oldPassword: 'Jetziges Passwort',
    newPassword: 'Neues Passwort (12 bis 128 Zeichen)',
    change: 'Passwort ändern',
    changeEnds:
      'Jeder andere Browser wird abgemeldet. Ihre Agenten behalten ihren Zugriff; beenden Sie ihn unter „Zugriff Ihrer Agenten“.',
    changed: 'Ihr Passwort wurde geändert, und Ihre anderen Browser wurden abgemeldet.',
    wrongPassword: 'Das jetzige Passwort ist falsch. Nichts wurde geändert.',
    badPassword: 'Das neue Passwort braucht 12 bis 128 Zeichen. Nichts wurde geändert.',
    app: 'Authenticator-App',
    appOn: 'Eingerichtet. Die Anmeldung mit Passwort fragt nach ihrem Code.',
    appOff: 'Nicht eingerichtet. Mit ihr genügt Ihr Passwort allein niemandem.',
    setUpApp: 'Authenticator-App einrichten',
    removeApp: 'Authenticator-App entfernen',
    appRemoved: 'Die Authenticator-App wurde entfernt.',
    passkeys: 'Passkeys',
    passkeysWhat:
      'Melden Sie sich mit Ihrem Gerät statt mit dem Passwort an. Haben Sie einen Passkey, genügt das Passwort allein niemandem.',
    passkeysNone: 'Sie haben keinen.',
    passkeyName: 'Name des neuen Passkeys, zum Beispiel Ihr Gerät',
    passkeyDefault: 'Passkey',
    addPasskey: 'Passkey hinzufügen',
    needsScript: 'Dafür braucht es einen Browser, der Passkeys kennt und das Skript dieser Seite ausführt.',
    passkeyAdded: 'Der Passkey wurde hinzugefügt.',
    passkeyRefused: 'Dieser Passkey wurde nicht angenommen. Nichts wurde geändert.',
    passkeyRemoved: 'Der Passkey wurde entfernt.',
    added: 'Hinzugefügt',
    lastUsed: 'Zuletzt benutzt',
    remove: 'Entfernen',
    removeOf: (name) => `Den Passkey ${name} entfernen`,
    codes: 'Wiederherstellungscodes',
    codesLeft: (count) => `${count} übrig. Jeder gilt einmal anstelle Ihrer App oder Ihres Passkeys.`,
    renewCodes: 'Neue Wiederherstellungscodes',
    signOut: 'In diesem Browser abmelden',
    confirmFirst: 'Geben Sie auch Ihr jetziges Passwort an.',
  },
  app: {
    title: 'Authenticator-App einrichten',
    scan: 'Scannen Sie dies mit Ihrer Authenticator-App:',
    qr: 'QR-Code für Ihre Authenticator-App',
    orType: 'Oder geben Sie diesen Schlüssel in der App ein:',
    code: 'Der Code, den die App jetzt zeigt',
    submit: 'Bestätigen',
    back: 'Zurück, ohne sie einzurichten',
    wrong:
      'Dieser Code wurde nicht angenommen. Prüfen Sie, ob die Uhr Ihres Telefons stimmt, und geben Sie den jetzigen Code ein.',
  },
  codes: {
    title: 'Ihre Wiederherstellungscodes',
    keep: 'Bewahren Sie diese Codes so auf, dass Sie sie ohne Telefon finden. Jeder gilt einmal. Sie werden nicht noch einmal gezeigt.',
    done: 'Ich habe sie aufbewahrt',
  },
  verify: {
    title: 'E-Mail-Adresse bestätigen',
    is: (email) => html`Ist <b>${email}</b> Ihre Adresse?`,
    submit: 'Adresse bestätigen',
    done: 'Ihre Adresse ist bestätigt',
    doneNext: 'Sie können diese Seite schließen.',
    spent: 'Dieser Link gilt nicht mehr',
    spentWhy:
      'Er wurde schon benutzt oder ist zu alt. Melden Sie sich bei Ihrem Konto an, um einen neuen schicken zu lassen.',
    spentReset: 'Er wurde schon benutzt oder ist zu alt. Lassen Sie sich einen neuen schicken.',
  },
  forgot: {
    title: 'Passwort vergessen?',
    what: 'Geben Sie Ihre E-Mail-Adresse an. Gibt es ein Konto dazu, schicken wir einen Link für ein neues Passwort.',
    submit: 'Link schicken',
    done: 'Sehen Sie in Ihr Postfach',
    doneNext: 'Gibt es ein Konto mit dieser Adresse, ist ein Link unterwegs. Er gilt einmal und 30 Minuten lang.',
    signIn: 'Zurück zur Anmeldung',
  },
  reset: {
    title: 'Neues Passwort wählen',
    forWhom: (email) => html`Für das Konto <b>${email}</b>. Jeder Browser wird abgemeldet.`,
    submit: 'Dieses Passwort setzen',
    done: 'Sie haben ein neues Passwort',
    doneNext: 'Jeder Browser wurde abgemeldet. Melden Sie sich mit dem neuen Passwort an.',
  },
};
