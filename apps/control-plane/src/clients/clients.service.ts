import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, type EventDetails } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { mintClientId, mintClientSecret } from '#libs/identity';
import { doneBy, type TenantCaller } from '../access/caller.js';
import { personBehind } from '../access/person-behind.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Precondition } from '../contract/precondition.js';
import { pageByKey } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { lockScopes, refuseUnknownScopes } from '../scopes/known-scopes.js';
import { clientProblems, type ClientShape } from './client-rules.js';
import { clientView } from './client-view.js';
import { ClientsRepository, type ClientRow } from './clients.repository.js';
import type { changeClient, createClient, getClient, listClients, rotateSecret } from './clients.schema.js';

const CLIENTS_MAX = 200;

/** The OAuth clients that a tenant registered for its own URLs. */
@Injectable()
export class ClientsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ClientsRepository) private readonly clients: ClientsRepository,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    query: InputOf<typeof listClients>['query'],
  ): Promise<AnswerOf<typeof listClients>> {
    const rows = await this.database.asTenant(tenantId, (tx) => this.clients.list(tx, tenantId));
    const wanted = rows.filter(({ kind }) => query.kind === undefined || kind === query.kind);
    const page = pageByKey(wanted, (row) => `${row.created_at.toISOString()} ${row.id}`, 'descending', query);
    return { clients: page.rows.map(clientView), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, id: string): Promise<AnswerOf<typeof getClient>> {
    const row = await this.database.asTenant(tenantId, (tx) => this.clients.find(tx, tenantId, id));
    return clientView(required(row));
  }

  /**
   * @throws AppError `invalid_request`, `unprocessable` for scopes that name nothing, or `conflict` when the tenant has as
   *   many clients as it may
   */
  async create(
    caller: TenantCaller,
    body: InputOf<typeof createClient>['body'],
  ): Promise<AnswerOf<typeof createClient>> {
    const { tenantId } = caller;
    const client = { id: mintClientId(tenantId), enabled: true, name: body.name, ...shapeOf(body) };
    requireFitting(client);
    const secret = client.auth_method.startsWith('client_secret_') ? mintClientSecret() : undefined;
    return this.database.asTenant(tenantId, async (tx) => {
      await lockScopes(tx, tenantId, 'to give');
      if ((await this.clients.count(tx, tenantId)) >= CLIENTS_MAX) {
        throw new AppError('conflict', { message: `A tenant has at most ${CLIENTS_MAX} clients. Delete one first.` });
      }
      await refuseUnknownScopes(tx, tenantId, client.scopes);
      const createdBy = await personBehind(tx, caller);
      await this.clients.insert(tx, tenantId, client, { secretHash: secret?.hash ?? null, createdBy });
      const { kind, name, auth_method: method } = client;
      await record(tx, caller, client.id, {
        event: 'client.created',
        details: { kind, name, auth_method: method },
      });
      const row = required(await this.clients.find(tx, tenantId, client.id));
      return { client: clientView(row), client_secret: secret?.text ?? null };
    });
  }

  /** @throws AppError `not_found`, `invalid_request`, `unprocessable` for scopes that name nothing */
  async change(
    caller: TenantCaller,
    id: string,
    { body, precondition }: Pick<InputOf<typeof changeClient>, 'body' | 'precondition'>,
  ): Promise<AnswerOf<typeof changeClient>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      await lockScopes(tx, tenantId, 'to give');
      const before = required(await this.clients.lock(tx, tenantId, id));
      precondition.require(clientView(before));
      const after = changed(before, body);
      requireFitting(after);
      await refuseUnknownScopes(tx, tenantId, body.scopes ?? []);
      const given = namesKeys(body) ? { to: await personBehind(tx, caller) } : undefined;
      await this.clients.change(tx, tenantId, id, after, given);
      const details = { changed: Object.keys(body), enabled: after.enabled };
      await record(tx, caller, id, { event: 'client.changed', details });
      return clientView(after);
    });
  }

  /** @throws AppError `not_found`, or `conflict` for a client that has no secret */
  async rotateSecret(
    caller: TenantCaller,
    id: string,
    { overlap_seconds: overlapSeconds }: InputOf<typeof rotateSecret>['body'],
  ): Promise<AnswerOf<typeof rotateSecret>> {
    const { tenantId } = caller;
    const secret = mintClientSecret();
    return this.database.asTenant(tenantId, async (tx) => {
      const client = required(await this.clients.lock(tx, tenantId, id));
      if (!client.auth_method.startsWith('client_secret_')) {
        throw new AppError('conflict', {
          message: `This client authenticates with ${client.auth_method}, not a secret.`,
        });
      }
      const to = await personBehind(tx, caller);
      await this.clients.rotateSecret(tx, tenantId, id, { hash: secret.hash, overlapSeconds, to });
      await record(tx, caller, id, {
        event: 'client.secret_rotated',
        details: { overlap_seconds: overlapSeconds },
      });
      const row = required(await this.clients.find(tx, tenantId, id));
      return { client: clientView(row), client_secret: secret.text };
    });
  }

  /** @throws AppError `not_found` */
  async remove(caller: TenantCaller, id: string, precondition: Precondition): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      precondition.require(clientView(required(await this.clients.lock(tx, tenantId, id))));
      await this.clients.remove(tx, tenantId, id);
      await record(tx, caller, id, { event: 'client.deleted' });
    });
  }
}

function required(row: ClientRow | undefined): ClientRow {
  if (row === undefined) throw new AppError('not_found');
  return row;
}

function requireFitting(client: ClientShape): void {
  const problems = clientProblems(client);
  if (problems.length === 0) return;
  throw new AppError('invalid_request', { message: 'The client does not fit together. Correct it.', problems });
}

function shapeOf(body: InputOf<typeof createClient>['body']): ClientShape {
  const { kind } = body;
  return {
    kind,
    auth_method: body.token_endpoint_auth_method ?? (kind === 'public' ? 'none' : 'client_secret_basic'),
    redirect_uris: body.redirect_uris ?? [],
    scopes: body.scopes ?? (kind === 'machine' ? ['mcp'] : []),
    key_set: body.jwks ?? null,
    key_set_url: body.jwks_uri ?? null,
  };
}

/** The client with the changes made; naming one source of keys replaces the other. */
function changed(before: ClientRow, body: InputOf<typeof changeClient>['body']): ClientRow {
  return {
    ...before,
    name: body.name ?? before.name,
    redirect_uris: body.redirect_uris ?? before.redirect_uris,
    scopes: body.scopes ?? before.scopes,
    enabled: body.enabled ?? before.enabled,
    ...(namesKeys(body) ? { key_set: body.jwks ?? null, key_set_url: body.jwks_uri ?? null } : {}),
  };
}

function namesKeys({ jwks, jwks_uri: url }: InputOf<typeof changeClient>['body']): boolean {
  return jwks !== undefined || url !== undefined;
}

async function record(
  tx: Transaction,
  caller: TenantCaller,
  id: string,
  done: EventDetails<'client.created' | 'client.changed' | 'client.secret_rotated' | 'client.deleted'>,
): Promise<void> {
  await appendAudit(tx, caller.tenantId, [doneBy(caller, { ...done, target: `client:${id}` })]);
}
