import { html } from '#libs/pages';
import { CONNECTIONS_EN } from './connections.js';
import { FEDERATION_EN } from './federation.js';
import { SCOPES_AND_DEVICES_EN } from './scopes-and-devices.js';

/** Every sentence of our pages in English. Another language has the same keys, or it does not compile. */
export const EN = {
  language: 'en',
  problem: 'Problem: ',
  startOver: 'Go back to your app and connect again from there.',
  wait: (minutes: number) =>
    `Too many attempts. Wait ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}, then try again.`,
  never: 'never',

  ...SCOPES_AND_DEVICES_EN,
  ...FEDERATION_EN,
  ...CONNECTIONS_EN,

  signIn: {
    title: 'Sign in',
    headingAt: (tenant: string) => `Sign in to ${tenant}`,
    headingOwn: 'Sign in to your account',
    why: (url: string) =>
      html`An app wants to use <b>${url}</b> for you. You decide about that after you have signed in.`,
    email: 'E-mail',
    password: 'Password',
    submit: 'Sign in',
    cancel: 'Cancel',
    passkey: 'Sign in with a passkey',
    forgot: 'Forgot your password?',
    wrong: 'E-mail or password is wrong. Check both and try again.',
    wrongPasskey: 'This passkey was not accepted. Try again, or sign in with your password.',
    passkeyFailed: 'The browser gave no passkey. Try again, or use another way.',
  },
  second: {
    title: 'Confirm that it is you',
    heading: 'Confirm that it is you',
    as: (email: string) => html`Your password for <b>${email}</b> is right. One more step is needed.`,
    code: 'Code from your authenticator app, or a recovery code',
    recoveryCode: 'Recovery code',
    submit: 'Confirm',
    passkey: 'Use a passkey',
    other: 'Use another account',
    wrong: 'That was not accepted. Each code works once; wait for the next one, or use a recovery code.',
  },
  consent: {
    title: 'Allow access',
    heading: (tenant: string) => `Allow an app to use ${tenant}?`,
    name: 'The app calls itself (nobody has checked this name)',
    noName: 'It gives no name',
    back: 'You are sent back to',
    runsOn: 'It runs on',
    otherDevice: 'another device, which shows the code you entered',
    uses: 'It may use, as you',
    means: 'That means',
    passesOn: 'It may also be passed on',
    passesOnTo: (slug: string, servers: string) =>
      `${slug} may use ${servers} for you, with as much right as you give here: reading where it may read, and changing things only where it may change everything.`,
    as: 'You are signed in as',
    allow: 'Allow',
    deny: 'Deny',
    other: 'Use another account',
    ownComputerHost: (host: string) => `${host} (your own computer)`,
    installedApp: (scheme: string) => `an app installed here (${scheme})`,
    ownComputer:
      'The app runs on your own computer. Any program on it can claim this name: allow it only if you have just started the connection yourself.',
  },
  noAccess: {
    title: 'No access',
    heading: (tenant: string) => `You have no access to ${tenant}`,
    notMember: (email: string, tenant: string, url: string) =>
      html`The account <b>${email}</b> is not a member of <b>${tenant}</b>, so no app can use <b>${url}</b> for it.`,
    noRole: (email: string, tenant: string, url: string) =>
      html`The account <b>${email}</b> has no role at <b>${tenant}</b> that may use its management API, so no app can
        use <b>${url}</b> for it.`,
    who: (tenant: string) =>
      `An owner or administrator of ${tenant} can give you access. Then connect again from your app.`,
    back: 'Back to the app',
  },
  messages: {
    expired: 'This page has expired',
    expiredWhy: 'The connection was finished already, took longer than 15 minutes, or was begun in another browser.',
    gone: 'This address does not exist any more',
    goneWhat: 'Ask whoever gave it to you for the new one.',
    forged: 'This form cannot be accepted',
    forgedWhy: 'It did not come from the page we showed you, or that page is outdated.',
    openAnew: 'Open the page anew.',
    signedOut: 'You are signed out',
    signedOutNext: 'You can then sign in with another account.',
    notPossible: 'This is not possible here',
  },
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
    client_document: (host: string) => ({
      heading: 'This app’s description cannot be used',
      sentence: `The app says who it is in a document at ${host}, which could not be read or is not in order. Nothing is wrong with your connection; whoever runs the app has to mend the document.`,
    }),
    wayBackWarning: (host: string) =>
      `The app asked for something that is not possible here. It wants you sent back to ${host}; go there only if you know it.`,
    wayBack: (host: string) => `Back to ${host}`,
    other: { heading: 'Something went wrong', sentence: 'Go back to your app and connect again from there.' },
  },
  sessions: {
    title: 'Your agents’ access',
    as: (email: string) =>
      html`You are signed in as <b>${email}</b>. These apps can act for you. What you end stops working within seconds.`,
    none: 'No app has access.',
    noName: 'An app without a name',
    uses: 'May use',
    back: 'Sends you back to',
    unknown: 'unknown',
    clientId: 'Client id',
    since: 'Since',
    lastUsed: 'Last used',
    end: 'End access',
    endOf: (name: string, url: string) => `End access of ${name} to ${url}`,
    security: 'Password and sign-in',
    signOut: 'Sign out of this browser',
  },
  security: {
    title: 'Password and sign-in',
    as: (email: string) => html`You are signed in as <b>${email}</b>.`,
    agents: 'Your agents’ access',
    elsewhere: 'You sign in with your company’s provider. How you do that is looked after there.',
    address: 'E-mail address',
    verified: 'Confirmed.',
    unverified:
      'Not confirmed yet. Until it is, you cannot set up an authenticator app or a passkey, and cannot open another tenant. Open the link that we mailed to you.',
    sendAgain: 'Send the link again',
    sent: 'If the address is still to be confirmed, a mail is on its way.',
    password: 'Password',
    oldPassword: 'Present password',
    newPassword: 'New password (12 to 128 characters)',
    change: 'Change password',
    changeEnds: 'Every other browser is signed out. Your agents keep their access; end it under “Your agents’ access”.',
    changed: 'Your password was changed, and your other browsers were signed out.',
    wrongPassword: 'The present password is wrong. Nothing was changed.',
    badPassword: 'The new password needs 12 to 128 characters. Nothing was changed.',
    app: 'Authenticator app',
    appOn: 'Set up. Signing in with your password asks for its code.',
    appOff: 'Not set up. With it, your password alone lets nobody in.',
    setUpApp: 'Set up an authenticator app',
    removeApp: 'Remove the authenticator app',
    appRemoved: 'The authenticator app was removed.',
    passkeys: 'Passkeys',
    passkeysWhat:
      'Sign in with your device instead of your password. Where you have one, your password alone lets nobody in.',
    passkeysNone: 'You have none.',
    passkeyName: 'Name of the new passkey, for example your device',
    passkeyDefault: 'Passkey',
    addPasskey: 'Add a passkey',
    needsScript: 'Adding a passkey needs a browser that has passkeys and runs this page’s script.',
    passkeyAdded: 'The passkey was added.',
    passkeyRefused: 'This passkey was not accepted. Nothing was changed.',
    passkeyRemoved: 'The passkey was removed.',
    added: 'Added',
    lastUsed: 'Last used',
    remove: 'Remove',
    removeOf: (name: string) => `Remove the passkey ${name}`,
    codes: 'Recovery codes',
    codesLeft: (count: number) => `${count} left. Each lets you in once, in place of your app or passkey.`,
    renewCodes: 'Get new recovery codes',
    signOut: 'Sign out of this browser',
    confirmFirst: 'Give your present password, too.',
  },
  app: {
    title: 'Set up an authenticator app',
    scan: 'Scan this with your authenticator app:',
    qr: 'QR code for your authenticator app',
    orType: 'Or type this key into the app:',
    code: 'The code that the app shows now',
    submit: 'Confirm',
    back: 'Back without setting it up',
    wrong: 'This code was not accepted. Check that the clock of your phone is right, and type the code shown now.',
  },
  codes: {
    title: 'Your recovery codes',
    keep: 'Keep these codes where you find them without your phone. Each works once. They are not shown again.',
    done: 'I have kept them',
  },
  verify: {
    title: 'Confirm your e-mail address',
    is: (email: string) => html`Is <b>${email}</b> your address?`,
    submit: 'Confirm this address',
    done: 'Your address is confirmed',
    doneNext: 'You can close this page.',
    spent: 'This link does not work any more',
    spentWhy: 'It was used already or is too old. Sign in to your account to have another one sent.',
    spentReset: 'It was used already or is too old. Ask for another one.',
  },
  forgot: {
    title: 'Forgot your password?',
    what: 'Give your e-mail address. If there is an account with it, we mail it a link to choose a new password.',
    submit: 'Send the link',
    done: 'Look into your mailbox',
    doneNext: 'If there is an account with this address, a link is on its way. It works once, for 30 minutes.',
    signIn: 'Back to signing in',
  },
  reset: {
    title: 'Choose a new password',
    forWhom: (email: string) => html`For the account <b>${email}</b>. Every browser is signed out.`,
    submit: 'Set this password',
    done: 'You have a new password',
    doneNext: 'Every browser was signed out. Sign in with the new password.',
  },
};

/** Every sentence of our pages, in one language. */
export type Texts = Omit<typeof EN, 'language'> & { readonly language: 'en' | 'de' };
