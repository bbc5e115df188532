/** What pages about refused requests say, in English. */
export const ERRORS_EN = {
  errors: {
    forMaker: 'For whoever makes the app:',
    invalid_client: {
      heading: 'This app is not known here',
      sentence: 'Its registration may have expired. Remove the connection in the app and add it again.',
    },
    invalid_redirect_uri: {
      heading: 'This app cannot be trusted to receive your answer',
      sentence:
        'The address it wants you sent back to is not one it registered. Do not go on; tell whoever makes the app.',
    },
    invalid_request: {
      heading: 'This connection cannot go on',
      sentence:
        'It may have been finished already or taken too long. Go back to your app and connect again from there.',
    },
    pkce: {
      heading: 'Update this app, then connect again',
      sentence:
        'It asked to be connected without the protection that is required here (PKCE). Nothing is wrong with your account or with what you did. If its newest version asks the same way, tell whoever makes it what is said below.',
    },
    request: {
      heading: 'Update this app, then connect again',
      sentence:
        'It asked to be connected in a way that is not possible here. Nothing is wrong with your account or with what you did. If its newest version asks the same way, tell whoever makes it what is said below.',
    },
    suspended: {
      heading: 'This tenant is suspended',
      sentence:
        'Nobody can be connected to it at the moment. Nothing is wrong with your account or your app. Ask whoever runs the tenant; they reach the operator of this platform.',
    },
    leaving: {
      heading: 'This tenant is being deleted',
      sentence:
        'Nobody is connected to it any more. Until the day that is named below its owners can keep it; ask one of them, and connect again once it is kept.',
    },
    interaction: {
      heading: 'Connect again from your app',
      sentence:
        'The app asked for an answer without showing you a page, but you have to sign in or allow something first.',
    },
    client_document: (host: string) => ({
      heading: 'This app’s description cannot be used',
      sentence: `The app says who it is in a document at ${host}, which could not be read or is not in order. Nothing is wrong with your connection; whoever runs the app has to mend the document.`,
    }),
    wayBackWarning: (host: string) =>
      `The app asked for something that is not possible here. It wants you sent back to ${host}; go there only if you know it.`,
    wayBack: (host: string) => `Back to ${host}`,
    other: { heading: 'Something went wrong', sentence: 'Go back to your app and connect again from there.' },
  },
};

/** The same in German. */
export const ERRORS_DE: typeof ERRORS_EN = {
  errors: {
    forMaker: 'Für die Hersteller der App:',
    invalid_client: {
      heading: 'Diese App ist hier nicht bekannt',
      sentence:
        'Vielleicht ist ihre Anmeldung abgelaufen. Entfernen Sie die Verbindung in der App und fügen Sie sie neu hinzu.',
    },
    invalid_redirect_uri: {
      heading: 'Dieser App kann Ihre Antwort nicht anvertraut werden',
      sentence:
        'Die Adresse, zu der Sie zurückgelangen sollen, hat sie nicht angemeldet. Machen Sie nicht weiter und sagen Sie es den Herstellern der App.',
    },
    invalid_request: {
      heading: 'Diese Verbindung kann nicht weitergehen',
      sentence:
        'Vielleicht war sie schon beendet oder dauerte zu lange. Gehen Sie zurück zu Ihrer App und verbinden Sie von dort aus neu.',
    },
    pkce: {
      heading: 'Bringen Sie diese App auf den neuesten Stand und verbinden Sie neu',
      sentence:
        'Sie hat ohne den Schutz um die Verbindung gebeten, der hier verlangt wird (PKCE). Es liegt nicht an Ihrem Konto und nicht an Ihnen. Fragt die neueste Fassung ebenso, sagen Sie den Herstellern, was unten steht.',
    },
    request: {
      heading: 'Bringen Sie diese App auf den neuesten Stand und verbinden Sie neu',
      sentence:
        'Sie hat auf eine Weise um die Verbindung gebeten, die hier nicht geht. Es liegt nicht an Ihrem Konto und nicht an Ihnen. Fragt die neueste Fassung ebenso, sagen Sie den Herstellern, was unten steht.',
    },
    suspended: {
      heading: 'Dieser Mandant ist gesperrt',
      sentence:
        'Zurzeit kann niemand mit ihm verbunden werden. Es liegt nicht an Ihrem Konto und nicht an Ihrer App. Fragen Sie, wer den Mandanten verwaltet; er erreicht den Betreiber dieser Plattform.',
    },
    leaving: {
      heading: 'Dieser Mandant wird gelöscht',
      sentence:
        'Niemand wird mehr mit ihm verbunden. Bis zu dem Tag, der unten steht, können ihn die behalten, denen er gehört; fragen Sie dort nach und verbinden Sie neu, wenn er behalten wird.',
    },
    interaction: {
      heading: 'Verbinden Sie von Ihrer App aus neu',
      sentence:
        'Die App wollte eine Antwort, ohne Ihnen eine Seite zu zeigen, aber Sie müssen sich erst anmelden oder etwas erlauben.',
    },
    client_document: (host) => ({
      heading: 'Die Beschreibung dieser App ist nicht zu gebrauchen',
      sentence: `Wer sie ist, sagt die App in einem Dokument bei ${host}, das nicht gelesen werden konnte oder nicht in Ordnung ist. An Ihrer Verbindung liegt es nicht; wer die App betreibt, muss das Dokument richten.`,
    }),
    wayBackWarning: (host) =>
      `Die App hat um etwas gebeten, das hier nicht geht. Sie will Sie zurückschicken zu ${host}; gehen Sie nur dorthin, wenn Sie es kennen.`,
    wayBack: (host) => `Zurück zu ${host}`,
    other: {
      heading: 'Etwas ging schief',
      sentence: 'Gehen Sie zurück zu Ihrer App und verbinden Sie von dort aus neu.',
    },
  },
};
