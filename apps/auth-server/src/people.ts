import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import type { AccessAudit } from './access/access-audit.js';
import type { ResourceAccess } from './access/resource-access.js';
import { AccountChanges } from './account-pages/account-changes.js';
import { AppPage } from './account-pages/app-page.js';
import { MailPages } from './mail-pages/mail-pages.js';
import { OwnPages } from './account-pages/own-pages.js';
import { PersonDoor, type OwnPage } from './account-pages/person-door.js';
import { SecurityPage } from './account-pages/security-page.js';
import { accountAudit } from './accounts/account-audit.js';
import { AccountMail } from './accounts/account-mail.js';
import type { Accounts } from './accounts/accounts.js';
import { Login } from './accounts/login.js';
import { SignIn } from './accounts/sign-in.js';
import type { OwnGrants } from './grants/own-grants.js';
import { SessionsPage } from './grants/sessions-page.js';
import type { FormGuard } from './interactions/form-guard.js';
import type { AttemptCounter } from './limits/attempt-counter.js';
import type { BrowserSessions } from './provider/browsers/browser-sessions.js';
import { AuthenticatorApps } from './second-factors/authenticator-apps.js';
import { PasskeyChallenges } from './second-factors/passkey-challenges.js';
import { Passkeys } from './second-factors/passkeys.js';
import { RecoveryCodes } from './second-factors/recovery-codes.js';
import { SecondFactors } from './second-factors/second-factors.js';
import { SignInTicket } from './second-factors/sign-in-ticket.js';

/** What the people's half of the service is built from. */
export interface PeopleParts {
  readonly issuer: URL;
  readonly database: Database;
  readonly masterKey: Secret;
  readonly accounts: Accounts;
  readonly access: ResourceAccess;
  readonly audit: AccessAudit;
  readonly attempts: AttemptCounter;
  readonly attemptsMax: number;
  readonly provider: { readonly sessions: BrowserSessions };
  readonly own: OwnGrants;
  readonly guard: FormGuard;
  readonly connections: OwnPage;
  readonly logger: Logger;
}

/** The people's half of the service: how they sign in, and the pages by which they look after their account. */
export interface People {
  readonly signIn: SignIn;
  readonly ownPages: OwnPages;
  /** Where somebody without a password gets a new one. */
  readonly forgotUrl: string;
}

/** Builds it. */
export function assemblePeople(parts: PeopleParts): People {
  const { issuer, database, masterKey, accounts, attempts, attemptsMax, provider, guard } = parts;
  const factors = new SecondFactors(
    new AuthenticatorApps(database, masterKey),
    new Passkeys(database, new PasskeyChallenges(database, masterKey), issuer),
    new RecoveryCodes(database, masterKey),
  );
  const told = accountAudit(database, parts.logger);
  const mail = new AccountMail({ database, masterKey, accounts, attempts, audit: told, issuer: issuer.href });
  const login = new Login({ ...parts, accountAudit: told, factors });
  const signIn = new SignIn({ login, accounts, factors, ticket: new SignInTicket(masterKey, issuer) });
  const changes = new AccountChanges(factors, mail, told);
  const door = new PersonDoor({ issuer, provider, accounts, signIn, guard });
  const ownPages = new OwnPages(door, new MailPages(issuer, mail, guard), {
    sessions: new SessionsPage(provider, parts.own),
    security: new SecurityPage({ provider, login, mail, factors, changes }),
    app: new AppPage(factors, changes, attempts, attemptsMax),
    connections: parts.connections,
  });
  return { signIn, ownPages, forgotUrl: `${issuer.pathname.replace(/\/$/, '')}/account/forgot` };
}
