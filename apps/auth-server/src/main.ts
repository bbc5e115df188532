import type { Environment } from '#libs/config';
import { Database } from '#libs/database';
import { AccessTokenVerifier } from '#libs/identity';
import { readinessOf, runWhenMain, type Service } from '#libs/http';
import { createLogger, startTelemetry, type Logger } from '#libs/telemetry';
import { AccessAudit } from './access/access-audit.js';
import { ResourceAccess } from './access/resource-access.js';
import { Accounts } from './accounts/accounts.js';
import { Login } from './accounts/login.js';
import { parseAuthServerConfig, type AuthServerConfig } from './config.js';
import { errorPage } from './interactions/error-page.js';
import { Federation } from './federated-sign-in/federation.js';
import { GrantsApi } from './grants/grants-api.js';
import { Grants } from './grants/grants.js';
import { OwnGrants } from './grants/own-grants.js';
import { SessionsPage } from './grants/sessions-page.js';
import { FormGuard } from './interactions/form-guard.js';
import { InteractionPages } from './interactions/interaction-pages.js';
import { renderPage } from '#libs/pages';
import { AttemptCounter } from './limits/attempt-counter.js';
import { createListener } from './listener.js';
import { grantSweep } from './grants/grant-sweep.js';
import { artifactSweep } from './provider/artifact-sweep.js';
import { ClientDocuments } from './provider/client-documents.js';
import type { ProviderParts } from './provider/configuration.js';
import { Consents } from './provider/consents.js';
import { createProvider } from './provider/provider.js';
import { provideSigningKeys, requireSigningKey } from './signing-keys/signing-keys.js';

/** Starts the authorization server. @throws ConfigError, or when the database cannot be reached */
export async function start(environment: Environment): Promise<Service> {
  const config = parseAuthServerConfig(environment);
  const telemetry = startTelemetry('auth-server');
  const logger = createLogger('auth-server', config.WHARF_LOG_LEVEL);
  const database = await Database.connect({
    databaseUrl: config.DATABASE_URL,
    role: 'wharf_auth',
    masterKey: config.WHARF_MASTER_KEY,
  });
  const attempts = new AttemptCounter(config.REDIS_URL);
  const documents = new ClientDocuments();
  const guard = new FormGuard(config.WHARF_MASTER_KEY);
  const federation = new Federation({
    issuer: new URL(config.WHARF_ISSUER),
    database,
    masterKey: config.WHARF_MASTER_KEY,
    guard,
    attempts,
    logger,
  });
  const sweep = artifactSweep(database, logger);
  const grantsSweep = grantSweep(database, logger);
  const listener = await assemble({ config, database, attempts, documents, guard, federation, logger });
  sweep.start();
  grantsSweep.start();
  return {
    name: 'auth-server',
    listener,
    readiness: () =>
      readinessOf({
        database: () => database.serverVersion(),
        signing_key: () => requireSigningKey(database),
        redis: () => attempts.ping().catch(() => 'warning: no answer; limits are counted by each instance alone'),
      }),
    async stop() {
      await Promise.all([sweep.stop(), grantsSweep.stop()]);
      attempts.stop();
      await Promise.all([documents.stop(), federation.stop()]);
      await database.close();
      await telemetry.stop();
    },
  };
}

interface Opened {
  readonly config: AuthServerConfig;
  readonly database: Database;
  readonly attempts: AttemptCounter;
  readonly documents: ClientDocuments;
  readonly guard: FormGuard;
  readonly federation: Federation;
  readonly logger: Logger;
}

async function assemble(opened: Opened): Promise<Service['listener']> {
  const { config, database, attempts, documents, guard, federation, logger } = opened;
  const masterKey = config.WHARF_MASTER_KEY;
  const issuer = new URL(config.WHARF_ISSUER);
  const access = new ResourceAccess(database, {
    publicUrl: config.WHARF_PUBLIC_URL,
    baseDomain: config.WHARF_BASE_DOMAIN,
  });
  const accounts = new Accounts(database);
  const audit = new AccessAudit(database, access);
  const grants = new Grants(database);
  const consents = new Consents(database, masterKey);
  const own = new OwnGrants(grants, consents);
  const signingKeys = await provideSigningKeys(database, masterKey);
  const { listener, door, sessions } = createProvider(
    {
      issuer,
      database,
      masterKey,
      signingKeys,
      access,
      accounts,
      consents,
      grants,
      attempts,
      documents,
      registrationsPerHour: config.WHARF_REGISTRATIONS_PER_HOUR,
      federation: federation.assertions(access),
      renderError: showError,
    },
    audit,
    logger,
  );
  const login = new Login({ accounts, access, audit, attempts, attemptsMax: config.WHARF_LOGINS_PER_QUARTER_HOUR });
  return createListener({
    issuer,
    trustProxy: config.WHARF_TRUST_PROXY,
    registrationsPerHour: config.WHARF_REGISTRATIONS_PER_HOUR,
    provider: listener,
    sessions: new SessionsPage({ issuer, sessions, accounts, login, own, guard }),
    grants: new GrantsApi(own, access, new AccessTokenVerifier({ issuer: config.WHARF_ISSUER, keys: signingKeys })),
    callback: federation.callback,
    pages: new InteractionPages({ door, access, accounts, login, audit, guard, elsewhere: federation.door }),
    access,
    attempts,
    logger,
  });
}

function showError(...[ctx, error, description]: Parameters<ProviderParts['renderError']>): void {
  const { text, headers } = renderPage(errorPage(ctx.status, error, description));
  for (const [name, value] of Object.entries(headers)) ctx.set(name, String(value));
  ctx.body = text;
}

await runWhenMain(import.meta, start);
