import type { ServerResponse } from 'node:http';
import type { Secret } from '#libs/config';
import { clientDocument, clientDocumentUrl, redirectUri } from '#libs/connections';
import type { Database } from '#libs/database';
import { sendJson } from '#libs/http';
import type { OpenIdFetch } from '#libs/openid';
import { TenantVault } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import { BrowserCookie } from '../federated-sign-in/browser-cookie.js';
import type { AttemptCounter } from '../limits/attempt-counter.js';
import type { RowSeals } from '../provider/artifacts/row-seals.js';
import type { BrowserSessions } from '../provider/browsers/browser-sessions.js';
import { ConnectionsPage } from './connections-page.js';
import { LoginAttempts } from './login-attempts.js';
import { LoginFlow } from './login-flow.js';
import { OwnConnections, type ConnectorName } from './own-connections.js';
import { WayBack } from './way-back.js';

/** What people's logins at upstreams are made from. */
export interface ConnectionsOptions {
  readonly issuer: URL;
  readonly database: Database;
  readonly masterKey: Secret;
  readonly seals: RowSeals;
  readonly attempts: AttemptCounter;
  readonly provider: { readonly sessions: BrowserSessions };
  readonly http: OpenIdFetch;
  readonly logger: Logger;
}

/** Everything about people's logins at upstreams, put together. */
export class Connections {
  readonly page: ConnectionsPage;
  readonly wayBack: WayBack;

  constructor(private readonly options: ConnectionsOptions) {
    const { issuer, database, masterKey, seals, attempts: counter, provider, http, logger } = options;
    const vault = new TenantVault(masterKey);
    const own = new OwnConnections(database, vault);
    const attempts = new LoginAttempts(database, seals);
    const cookie = new BrowserCookie(issuer);
    const flow = new LoginFlow({ issuer, database, vault, attempts, http });
    this.page = new ConnectionsPage({ own, flow, cookie, attempts: counter });
    this.wayBack = new WayBack({ own, flow, cookie, attempts, provider, logger });
  }

  /** Answers with the document by which an upstream knows a connector's client (client-id metadata document). It tells nothing of the tenant. */
  describeClient(response: ServerResponse, name: ConnectorName): void {
    const issuer = this.options.issuer.href;
    const document = {
      client_id: clientDocumentUrl(issuer, name),
      ...clientDocument({ redirectUri: redirectUri(issuer, name) }),
    };
    sendJson(response, 200, document, { 'cache-control': 'public, max-age=3600' });
  }
}
