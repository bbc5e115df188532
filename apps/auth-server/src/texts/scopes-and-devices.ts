/** What scopes allow, and the pages of devices, in English. */
export const SCOPES_AND_DEVICES_EN = {
  scopes: {
    management: 'Manage this tenant through the management API within your role: servers, releases, secrets and keys.',
    everything:
      'Everything that the tenant offers here, now and later: read, and change or delete things where tools can.',
    readEverywhere: 'Read: call the tools that change nothing, at every server behind this URL.',
    read: (slug: string) => `Read at ${slug}: call its tools that change nothing.`,
    write: (slug: string) => `Read and write at ${slug}: call all its tools, also those that change or delete things.`,
    group: (name: string, slug: string, tools: string, more: number) =>
      `“${name}” at ${slug}: call ${tools}${more > 0 ? ` and ${more} more` : ''}, whatever they change.`,
  },
  device: {
    title: 'Connect a device',
    heading: 'Connect an app on another device',
    what: 'Enter the code that the app shows you. You decide what it may do after that.',
    code: 'Code',
    submit: 'Continue',
    checkTitle: 'Check the code',
    check: 'Is this your device?',
    exactly: 'Its device must show exactly this code',
    beware:
      'Go on only if you have just started the connection yourself and see the code on your own device. Whoever sent you this code or link by message or told you it on the phone would get your access.',
    mine: 'It is mine: continue',
    stop: 'Stop',
    connected: 'Your device is connected',
    connectedNext: 'Go back to it; the app goes on by itself in a few seconds. You can close this page.',
    stopped: 'The connection was stopped',
    stoppedNext: 'The app gets no access. To connect after all, start again on the device.',
    wait: 'Wait before you try again',
    waitWhy: (minutes: number) =>
      `Too many wrong codes came from here. Wait ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}, then try again.`,
    problems: {
      NoCodeError: 'Enter the code that the app shows.',
      NotFoundError: 'This is not a code we know. Check it, and enter it as the device shows it.',
      ExpiredError: 'This code has expired. Start again on the device, which then shows a new one.',
      AlreadyUsedError: 'This code was used already. Start again on the device, which then shows a new one.',
      other: 'This cannot go on. Enter the code again, or start again on the device.',
    },
  },
};

/** The same in German. */
export const SCOPES_AND_DEVICES_DE: typeof SCOPES_AND_DEVICES_EN = {
  scopes: {
    management:
      'Diesen Mandanten im Rahmen Ihrer Rolle über die Verwaltungs-API verwalten: Server, Releases, Geheimnisse und Schlüssel.',
    everything:
      'Alles, was der Mandant hier anbietet, jetzt und später: lesen, und ändern oder löschen, wo Werkzeuge es können.',
    readEverywhere: 'Lesen: die Werkzeuge benutzen, die nichts ändern, bei jedem Server hinter dieser URL.',
    read: (slug) => `Lesen bei ${slug}: die Werkzeuge benutzen, die nichts ändern.`,
    write: (slug) => `Lesen und schreiben bei ${slug}: alle Werkzeuge benutzen, auch die, die ändern oder löschen.`,
    group: (name, slug, tools, more) =>
      `„${name}“ bei ${slug}: ${tools}${more > 0 ? ` und ${more} weitere` : ''} benutzen, was immer sie ändern.`,
  },
  device: {
    title: 'Ein Gerät verbinden',
    heading: 'Eine App auf einem anderen Gerät verbinden',
    what: 'Geben Sie den Code ein, den die App Ihnen zeigt. Was sie darf, entscheiden Sie danach.',
    code: 'Code',
    submit: 'Weiter',
    checkTitle: 'Code prüfen',
    check: 'Ist das Ihr Gerät?',
    exactly: 'Ihr Gerät muss genau diesen Code zeigen',
    beware:
      'Machen Sie nur weiter, wenn Sie die Verbindung gerade selbst begonnen haben und den Code auf Ihrem eigenen Gerät sehen. Wer Ihnen diesen Code oder Link geschickt oder am Telefon gesagt hat, bekäme Ihren Zugriff.',
    mine: 'Es ist meines: weiter',
    stop: 'Abbrechen',
    connected: 'Ihr Gerät ist verbunden',
    connectedNext:
      'Gehen Sie zu ihm zurück; die App macht in einigen Sekunden von selbst weiter. Sie können diese Seite schließen.',
    stopped: 'Die Verbindung wurde abgebrochen',
    stoppedNext: 'Die App bekommt keinen Zugriff. Um sie doch zu verbinden, beginnen Sie auf dem Gerät neu.',
    wait: 'Warten Sie vor dem nächsten Versuch',
    waitWhy: (minutes) =>
      `Von hier kamen zu viele falsche Codes. Warten Sie ${minutes} ${minutes === 1 ? 'Minute' : 'Minuten'} und versuchen Sie es dann noch einmal.`,
    problems: {
      NoCodeError: 'Geben Sie den Code ein, den die App zeigt.',
      NotFoundError: 'Diesen Code kennen wir nicht. Prüfen Sie ihn und geben Sie ihn so ein, wie das Gerät ihn zeigt.',
      ExpiredError: 'Dieser Code ist abgelaufen. Beginnen Sie auf dem Gerät neu; es zeigt dann einen anderen.',
      AlreadyUsedError: 'Dieser Code wurde schon benutzt. Beginnen Sie auf dem Gerät neu; es zeigt dann einen anderen.',
      other: 'So geht es nicht weiter. Geben Sie den Code noch einmal ein, oder beginnen Sie auf dem Gerät neu.',
    },
  },
};
