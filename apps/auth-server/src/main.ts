import { UnplacedRefusals } from '#libs/audit';
import { dedicatedOf, regionOf, type Environment, type Secret } from '#libs/config';
import type { ConnectRecorder } from '#libs/connect-attempts';
import { Database, requireSchema, warnWhenAway } from '#libs/database';
import { readinessOf, runWhenMain, type Service } from '#libs/http';
import { MasterKeyRewrapper } from '#libs/rewrap';
import { withMasterKeys } from '#libs/root-keys';
import { acceptMasterKeys, waitForSchema } from '#libs/secrets';
import { createLogger, startTelemetry, type Logger } from '#libs/telemetry';
import { AccessAudit } from './access/access-audit.js';
import { ResourceAccess } from './access/resource-access.js';
import { Accounts } from './accounts/accounts.js';
import { openRecorder } from './connect-attempts/open-recorder.js';
import { accountEventSweep } from './accounts/account-audit.js';
import { parseAuthServerConfig, type AuthServerConfig } from './config.js';
import { answerWithErrorPage } from './interactions/error-page.js';
import { Connections } from './connections/connections.js';
import { Federation } from './federated-sign-in/federation.js';
import { GrantsApi } from './grants/grants-api.js';
import { Grants } from './grants/grants.js';
import { OwnGrants } from './grants/own-grants.js';
import { FormGuard } from './interactions/form-guard.js';
import { InteractionPages } from './interactions/interaction-pages.js';
import { AttemptCounter } from './limits/attempt-counter.js';
import { createListener } from './listener.js';
import { grantSweep } from './grants/grant-sweep.js';
import { assemblePeople } from './people.js';
import { artifactSweep } from './provider/artifacts/artifact-sweep.js';
import { READS_BOUND, RowSeals } from './provider/artifacts/row-seals.js';
import { ClientDocuments } from './provider/registration/client-documents.js';
import { Consents } from './provider/consents/consents.js';
import { ToldGrants } from './provider/consents/told-grants.js';
import type { ProviderParts } from './provider/configuration.js';
import { LiveProvider } from './provider/live-provider.js';
import { createProvider, type AuthorizationProvider } from './provider/provider.js';
import { peopleSweep } from './second-factors/passkey-challenges.js';
import { KeyRing } from './signing-keys/key-ring.js';
import { requireSigningKey } from './signing-keys/signing-keys.js';

function openDatabase(config: AuthServerConfig, logger: Logger): Promise<Database> {
  return Database.connect({
    databaseUrl: config.DATABASE_URL,
    role: 'wharf_auth',
    masterKey: config.WHARF_MASTER_KEY,
    applicationName: READS_BOUND,
    dedicated: dedicatedOf(config),
    onAway: (name, error) => logger.warn({ err: error, database: name }, 'dedicated database is away'),
  });
}

/** Starts the authorization server. @throws ConfigError, or when the database cannot be reached */
export async function start(environment: Environment): Promise<Service> {
  const config = parseAuthServerConfig(await withMasterKeys(environment));
  const telemetry = startTelemetry('auth-server');
  const logger = createLogger('auth-server', config.WHARF_LOG_LEVEL);
  const database = await openDatabase(config, logger);
  await requireSchema(database);
  await acceptMasterKeys(database, config.WHARF_MASTER_KEY);
  const attempts = new AttemptCounter(config.REDIS_URL);
  const documents = new ClientDocuments();
  const guard = new FormGuard(config.WHARF_MASTER_KEY);
  const connects = openRecorder(config, database, logger);
  const { recorder } = connects;
  const masterKey = config.WHARF_MASTER_KEY;
  const issuer = new URL(config.WHARF_ISSUER);
  const seals = await RowSeals.open({ database, masterKey, logger });
  const federation = new Federation({ issuer, database, masterKey, seals, guard, attempts, recorder, logger });
  const sweeps = sweepsOf(database, masterKey, logger);
  const keys = await KeyRing.open({
    database,
    masterKey,
    logger,
    daysMax: config.WHARF_SIGNING_KEY_DAYS,
    everyMs: config.WHARF_SIGNING_KEY_CHECK_MS,
  });
  const unplaced = new UnplacedRefusals({ database, logger });
  const opened = { config, database, keys, seals, attempts, documents, guard, federation, recorder, unplaced, logger };
  const listener = assemble(opened);
  for (const sweep of sweeps) sweep.start();
  return {
    name: 'auth-server',
    listener,
    readiness: () =>
      readinessOf({
        database: () => warnWhenAway(() => requireSchema(database)),
        ...(database.hasDedicated ? { dedicated: () => database.dedicatedState() } : {}),
        signing_key: () => warnWhenAway(() => requireSigningKey(database)),
        redis: () => attempts.ping().catch(() => 'warning: no answer; limits are counted by each instance alone'),
      }),
    async stop() {
      await Promise.all([keys.stop(), seals.stop(), connects.stop(), ...sweeps.map((sweep) => sweep.stop())]);
      attempts.stop();
      await Promise.all([documents.stop(), federation.stop(), unplaced.stop()]);
      await database.close();
      await telemetry.stop();
    },
  };
}

/** What is done again and again beside the requests. */
function sweepsOf(
  database: Database,
  masterKey: Secret,
  logger: Logger,
): Array<Pick<MasterKeyRewrapper, 'start' | 'stop'>> {
  return [
    artifactSweep(database, logger),
    grantSweep(database, logger),
    accountEventSweep(database, logger),
    peopleSweep(database, logger),
    new MasterKeyRewrapper(database, masterKey, 'auth-server', logger),
  ];
}

interface Opened {
  readonly config: AuthServerConfig;
  readonly database: Database;
  readonly keys: KeyRing;
  readonly seals: RowSeals;
  readonly attempts: AttemptCounter;
  readonly documents: ClientDocuments;
  readonly guard: FormGuard;
  readonly federation: Federation;
  readonly recorder: ConnectRecorder;
  readonly unplaced: UnplacedRefusals;
  readonly logger: Logger;
}

function assemble(opened: Opened): Service['listener'] {
  const { config, database, keys, seals, attempts, guard, federation, recorder, logger } = opened;
  const masterKey = config.WHARF_MASTER_KEY;
  const issuer = new URL(config.WHARF_ISSUER);
  const { WHARF_PUBLIC_URL: publicUrl, WHARF_BASE_DOMAIN: baseDomain } = config;
  const access = new ResourceAccess(database, { publicUrl, baseDomain }, regionOf(config));
  const accounts = new Accounts(database);
  const audit = new AccessAudit(database, access, opened.unplaced);
  const grants = new Grants(database);
  const consents = new Consents(database, masterKey);
  const own = new OwnGrants(grants, consents);
  const assertions = federation.assertions(access);
  const provider = new LiveProvider(
    config.WHARF_ISSUER,
    (signingKeys) =>
      buildProvider(opened, { issuer, access, accounts, consents, grants, audit, signingKeys, federation: assertions }),
    keys.current,
  );
  keys.follow(provider.useKeys);
  const rooms = { access, accounts, audit, guard };
  const attemptsMax = config.WHARF_LOGINS_PER_QUARTER_HOUR;
  const shared = { issuer, database, masterKey, attempts, provider };
  const connections = new Connections({ ...shared, seals, http: federation.http, logger });
  const people = assemblePeople({ ...rooms, ...shared, own, attemptsMax, connections: connections.page, logger });
  return createListener({
    issuer,
    publicUrl,
    trustProxy: config.WHARF_TRUST_PROXY,
    registrationsPerHour: config.WHARF_REGISTRATIONS_PER_HOUR,
    provider: provider.listener,
    own: people.ownPages,
    grants: new GrantsApi(own, access, provider, attempts, publicUrl),
    callback: federation.callback,
    connections,
    pages: new InteractionPages({ ...people, ...rooms, provider, recorder, elsewhere: federation.door }),
    access,
    attempts,
    recorder,
    audit,
    logger,
  });
}

type Rooms = Pick<
  ProviderParts,
  'issuer' | 'access' | 'accounts' | 'consents' | 'grants' | 'signingKeys' | 'federation'
> & {
  readonly audit: AccessAudit;
};

function buildProvider(
  { config, database, seals, attempts, documents, federation, recorder, logger }: Opened,
  { audit, ...rooms }: Rooms,
): AuthorizationProvider {
  const parts: ProviderParts = {
    ...rooms,
    publicUrl: config.WHARF_PUBLIC_URL,
    database,
    masterKey: config.WHARF_MASTER_KEY,
    seals,
    toldGrants: new ToldGrants(database, config.WHARF_MASTER_KEY),
    attempts,
    documents,
    recorder,
    standing: federation.standing,
    registrationsPerHour: config.WHARF_REGISTRATIONS_PER_HOUR,
    renderError: answerWithErrorPage,
  };
  return createProvider(parts, audit, logger);
}

await runWhenMain(
  import.meta,
  start,
  waitForSchema({
    role: 'wharf_auth',
    configOf: async (environment) => parseAuthServerConfig(await withMasterKeys(environment)),
  }),
);
