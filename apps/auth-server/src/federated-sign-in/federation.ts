import type { Secret } from '#libs/config';
import type { ConnectRecorder } from '#libs/connect-attempts';
import type { Database } from '#libs/database';
import { OpenIdFetch } from '#libs/openid';
import type { Logger } from '#libs/telemetry';
import type { ResourceAccess } from '../access/resource-access.js';
import { Admission } from '../federation/admission.js';
import { IdentityAssertions } from '../federation/identity-assertion.js';
import { Standing } from '../federation/standing.js';
import { TenantProviders } from '../federation/tenant-providers.js';
import type { FormGuard } from '../interactions/form-guard.js';
import type { AttemptCounter } from '../limits/attempt-counter.js';
import type { RowSeals } from '../provider/artifacts/row-seals.js';
import type { IdentityAssertionParts } from '../provider/identity-assertion-grant.js';
import { Attempts } from './attempts.js';
import { BrowserCookie } from './browser-cookie.js';
import { Callback } from './callback.js';
import { CodeFlow } from './code-flow.js';
import { SignInDoor } from './sign-in-door.js';

/** What signing in with tenants' providers is made from. */
export interface FederationOptions {
  readonly issuer: URL;
  readonly database: Database;
  readonly masterKey: Secret;
  readonly seals: RowSeals;
  readonly guard: FormGuard;
  readonly attempts: AttemptCounter;
  readonly recorder: Pick<ConnectRecorder, 'note'>;
  readonly logger: Logger;
}

/** Everything about tenants' own OpenID providers, put together. */
export class Federation {
  readonly providers: TenantProviders;
  readonly admission: Admission;
  readonly attempts: Attempts;
  readonly standing: Standing;
  readonly door: SignInDoor;
  readonly callback: Callback;
  /** The way to authorization servers that tenants name. */
  readonly http = new OpenIdFetch();
  private readonly issuer: string;

  constructor({ issuer, database, masterKey, seals, guard, attempts: counter, recorder, logger }: FederationOptions) {
    this.issuer = issuer.href.replace(/\/$/, '');
    this.providers = new TenantProviders(database, masterKey);
    this.admission = new Admission(database);
    this.attempts = new Attempts(database, seals);
    const people = { providers: this.providers, admission: this.admission };
    this.standing = new Standing({ ...people, database, masterKey, logger });
    const rooms = { ...people, standing: this.standing, attempts: this.attempts, issuer };
    const flow = new CodeFlow(rooms);
    const cookie = new BrowserCookie(issuer);
    this.door = new SignInDoor({ ...rooms, flow, cookie, guard, counter, recorder, logger });
    this.callback = new Callback({ ...rooms, flow, cookie, recorder, logger });
  }

  /** What the token endpoint takes of tenants' providers. */
  assertions(access: ResourceAccess): Omit<IdentityAssertionParts, 'access'> {
    const assertions = new IdentityAssertions(this.issuer, this.providers, access);
    return { assertions, admission: this.admission, isFirstUse: (use) => this.attempts.isFirstUse(use) };
  }

  async stop(): Promise<void> {
    await Promise.all([this.providers.stop(), this.http.stop()]);
  }
}
