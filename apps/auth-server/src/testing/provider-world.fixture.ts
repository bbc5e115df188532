import { createServer } from 'node:http';
import { Client } from 'pg';
import { Database } from '#libs/database';
import { readBody } from '#libs/http';
import { createLogger } from '#libs/telemetry';
import { testDatabase, testRedis } from '#libs/testing';
import { AccessAudit } from '../access/access-audit.js';
import { ResourceAccess } from '../access/resource-access.js';
import { Accounts } from '../accounts/accounts.js';
import { Federation } from '../federated-sign-in/federation.js';
import { FormGuard } from '../interactions/form-guard.js';
import { Grants } from '../grants/grants.js';
import { AttemptCounter } from '../limits/attempt-counter.js';
import type { ClientDocuments } from '../provider/registration/client-documents.js';
import { RowSeals } from '../provider/artifacts/row-seals.js';
import { Consents } from '../provider/consents/consents.js';
import { ToldGrants } from '../provider/consents/told-grants.js';
import { createProvider } from '../provider/provider.js';
import { ReplayedRequest } from '../replayed-request.js';
import { provideSigningKeys } from '../signing-keys/signing-keys.js';
import { freePort } from './free-port.fixture.js';

const BODY_BYTES_MAX = 16 * 1024;

/** The provider alone, on stores of its own, with an internet that the test gives it. */
export interface ProviderWorld {
  readonly origin: string;
  /** The schema's owner. */
  readonly owner: Client;
  close(): Promise<void>;
}

/** Starts the provider; what clients publish is fetched from `documents`. */
export async function openProvider(
  documents: Pick<ClientDocuments, 'fetch' | 'fetchKeySet'>,
  registrationsPerHour = 60,
): Promise<ProviderWorld> {
  const own = await testDatabase();
  const database = await Database.connect({ ...own, role: 'wharf_auth' });
  const attempts = new AttemptCounter((await testRedis()).redisUrl);
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const issuer = new URL(`${origin}/auth`);
  const access = new ResourceAccess(database, { publicUrl: origin });
  const guard = new FormGuard(own.masterKey);
  const logger = createLogger('test', 'silent');
  const seals = await RowSeals.open({ database, masterKey: own.masterKey, logger });
  const federation = new Federation({
    issuer,
    database,
    masterKey: own.masterKey,
    seals,
    guard,
    attempts,
    recorder: { note: () => undefined },
    logger,
  });
  const { listener } = createProvider(
    {
      issuer,
      publicUrl: issuer.origin,
      database,
      masterKey: own.masterKey,
      seals,
      signingKeys: await provideSigningKeys(database, own.masterKey),
      access,
      accounts: new Accounts(database),
      consents: new Consents(database, own.masterKey),
      toldGrants: new ToldGrants(database, own.masterKey),
      grants: new Grants(database),
      attempts,
      documents,
      recorder: { note: () => undefined },
      registrationsPerHour,
      federation: federation.assertions(access),
      standing: federation.standing,
      renderError: (ctx, { error }) => {
        ctx.body = error;
      },
    },
    new AccessAudit(database, access, { note: () => undefined }),
    logger,
  );
  const server = createServer((request, response) => {
    void readBody(request, BODY_BYTES_MAX, AbortSignal.timeout(5_000)).then((body) => {
      const replayed = { url: request.url ?? '/', body, issuer, address: '203.0.113.9' };
      return listener(new ReplayedRequest(request, replayed), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  const owner = new Client({ connectionString: own.databaseUrl });
  await owner.connect();
  return {
    origin,
    owner,
    async close() {
      server.close();
      attempts.stop();
      await federation.stop();
      await Promise.all([database.close(), owner.end()]);
      await own.drop();
    },
  };
}
