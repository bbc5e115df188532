import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import {
  clientDocumentUrl,
  findConnector,
  openClient,
  originsOf,
  redirectUri,
  sealClient,
  type UpstreamClient,
} from '#libs/connections';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey, pageOf } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { ConnectorDiscovery } from './connector-discovery.js';
import { ConnectorsRepository, type ConnectorRow } from './connectors.repository.js';
import {
  CONNECTORS_MAX,
  type deleteConnector,
  type getConnector,
  type listConnections,
  type listConnectors,
  type writeConnector,
} from './connectors.schema.js';

type Shown = AnswerOf<typeof getConnector>;

/** Where a tenant's people log in at upstreams. */
@Injectable()
export class ConnectorsService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(VAULT) private readonly vault: TenantVault,
    @Inject(ConnectorsRepository) private readonly connectors: ConnectorsRepository,
    @Inject(ConnectorDiscovery) private readonly discovery: ConnectorDiscovery,
  ) {}

  async list(
    caller: TenantCaller,
    query: InputOf<typeof listConnectors>['query'],
  ): Promise<AnswerOf<typeof listConnectors>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const page = pageByKey(await this.connectors.list(tx, tenantId), ({ name }) => name, 'ascending', query);
      const shown: Shown[] = [];
      for (const row of page.rows) shown.push(await this.#view(tx, caller, row));
      return { connectors: shown, next_cursor: page.next };
    });
  }

  /** @throws AppError `not_found` */
  async get(caller: TenantCaller, name: string): Promise<Shown> {
    return this.database.asTenant(caller.tenantId, async (tx) =>
      this.#view(tx, caller, required(await this.connectors.find(tx, caller.tenantId, name))),
    );
  }

  /** @throws AppError `unprocessable` when nobody can log in there, `conflict` when there are too many */
  async write(
    caller: TenantCaller,
    { params: { connector: name }, body: settings, precondition }: InputOf<typeof writeConnector>,
  ): Promise<Shown> {
    const { tenantId, tenantSlug } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      const before = await this.connectors.find(tx, tenantId, name);
      precondition.require(before && (await this.#view(tx, caller, before)));
      await this.#refuseMissingSecret(tx, tenantId, settings.client?.secret);
    });
    const place = { tenantSlug, connector: name };
    const { issuer } = this.config;
    const origins = originsOf(settings);
    if (origins.length === 0)
      throw new AppError('unprocessable', { message: 'Name at least one origin that may be sent tokens.' });
    const own = { redirectUri: redirectUri(issuer, place), documentUrl: clientDocumentUrl(issuer, place) };
    const client = await this.discovery.resolve(tenantId, settings, own);
    return this.database.asTenant(tenantId, async (tx) => {
      await this.connectors.lock(tx, tenantId);
      const before = await this.connectors.find(tx, tenantId, name);
      precondition.require(before && (await this.#view(tx, caller, before)));
      if (before === undefined) await this.#refuseTooMany(tx, tenantId);
      else await this.#endWhereChanged(tx, tenantId, before, client);
      const id = before?.id ?? newId();
      const sealed = await sealClient(tx, this.vault, { tenantId, id }, client);
      const { title } = settings;
      await this.connectors.write(tx, tenantId, {
        id,
        name,
        title,
        issuer: client.issuer,
        origins,
        settings,
        client: sealed,
      });
      const details = {
        connector: name,
        issuer: client.issuer,
        origins,
        scopes: client.scopes,
        client: client.clientId,
      };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'connector.written', target: `connector:${id}`, details }),
      ]);
      return this.#view(tx, caller, required(await this.connectors.find(tx, tenantId, name)));
    });
  }

  /** @throws AppError `not_found` */
  async remove(caller: TenantCaller, { params, precondition }: InputOf<typeof deleteConnector>): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      await this.connectors.lock(tx, tenantId);
      const row = required(await this.connectors.find(tx, tenantId, params.connector));
      precondition.require(await this.#view(tx, caller, row));
      const connections = await this.connectors.endConnections(tx, tenantId, row.id);
      await this.connectors.remove(tx, tenantId, row.id);
      const details = { connector: row.name, issuer: row.issuer, connections };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'connector.deleted', target: `connector:${row.id}`, details }),
      ]);
    });
  }

  /** @throws AppError `not_found` */
  async listConnections(
    { tenantId }: TenantCaller,
    { params, query }: Pick<InputOf<typeof listConnections>, 'params' | 'query'>,
  ): Promise<AnswerOf<typeof listConnections>> {
    const rows = await this.database.asTenant(tenantId, async (tx) => {
      const { id } = required(await this.connectors.find(tx, tenantId, params.connector));
      return this.connectors.listConnected(tx, tenantId, { id, cursor: query.cursor, limit: query.limit + 1 });
    });
    const page = pageOf(rows, query.limit);
    const connections = page.rows.map(({ id, connected_at: connected, refreshed_at: refreshed, ...row }) => ({
      member: id,
      ...row,
      connected_at: connected.toISOString(),
      refreshed_at: refreshed.toISOString(),
    }));
    return { connections, next_cursor: page.next };
  }

  /** What people hold at one issuer or for one resource is of no use at another, and goes nowhere but back. */
  async #endWhereChanged(tx: Transaction, tenantId: string, before: ConnectorRow, next: UpstreamClient): Promise<void> {
    const known = await this.#clientOf(tx, tenantId, before.name);
    if (known.issuer === next.issuer && known.resource === next.resource) return;
    await this.connectors.endConnections(tx, tenantId, before.id);
  }

  async #refuseMissingSecret(tx: Transaction, tenantId: string, name: string | undefined): Promise<void> {
    if (name === undefined || (await this.connectors.hasSecret(tx, tenantId, name))) return;
    throw new AppError('unprocessable', {
      message: `There is no secret ${name}. Write it first with PUT /v1/secrets/${name}.`,
    });
  }

  async #refuseTooMany(tx: Transaction, tenantId: string): Promise<void> {
    if ((await this.connectors.list(tx, tenantId)).length < CONNECTORS_MAX) return;
    throw new AppError('conflict', { message: `A tenant has at most ${CONNECTORS_MAX} connectors. Delete one first.` });
  }

  async #clientOf(tx: Transaction, tenantId: string, name: string): Promise<UpstreamClient> {
    return openClient(tx, this.vault, required(await findConnector(tx, tenantId, name)));
  }

  async #view(tx: Transaction, { tenantId, tenantSlug }: TenantCaller, row: ConnectorRow): Promise<Shown> {
    const client = await this.#clientOf(tx, tenantId, row.name);
    return {
      name: row.name,
      title: row.title,
      issuer: client.issuer,
      authorization_endpoint: client.authorizationEndpoint,
      resource: client.resource ?? null,
      scopes: client.scopes,
      origins: row.origins,
      client_id: client.clientId,
      client_method: client.method,
      redirect_uri: redirectUri(this.config.issuer, { tenantSlug, connector: row.name }),
      created_at: row.created_at.toISOString(),
      updated_at: row.updated_at.toISOString(),
    };
  }
}

function required<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new AppError('not_found');
  return row;
}
