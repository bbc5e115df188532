import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, type DetailsOf } from '#libs/audit';
import { deleteUnusedBlobs, lockBlobs } from '#libs/blobs';
import { isUniqueViolation, newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Precondition } from '../contract/precondition.js';
import { pageOf } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { lockScopes } from '../scopes/known-scopes.js';
import { endScopesOf } from '../scopes/scopes-of-gone-server.js';
import { TenantsRepository } from '../tenants/tenants.repository.js';
import { serverView } from './server-view.js';
import { ServersRepository, type ServerRow, type StaleAnswersChoice } from './servers.repository.js';
import type { changeServer, createServer, getServer, listServers } from './servers.schema.js';

/** A tenant's MCP servers. */
@Injectable()
export class ServersService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(VAULT) private readonly vault: TenantVault,
    @Inject(TenantsRepository) private readonly tenants: TenantsRepository,
  ) {}

  async list(caller: TenantCaller, query: InputOf<typeof listServers>['query']): Promise<AnswerOf<typeof listServers>> {
    const { tenantId } = caller;
    const { limit } = query;
    const rows = await this.database.asTenant(tenantId, (tx) =>
      this.servers.list(tx, tenantId, { ...query, limit: limit + 1 }),
    );
    const page = pageOf(rows, limit);
    return { servers: page.rows.map((row) => this.#view(caller, row)), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get(caller: TenantCaller, slug: string): Promise<AnswerOf<typeof getServer>> {
    const row = await this.database.asTenant(caller.tenantId, (tx) => this.#getRow(tx, caller.tenantId, slug));
    return this.#view(caller, row);
  }

  /** @throws AppError `conflict` when the slug is in use, or the plan allows no more servers. */
  async create(
    caller: TenantCaller,
    { slug, name }: InputOf<typeof createServer>['body'],
  ): Promise<AnswerOf<typeof createServer>> {
    const { tenantId } = caller;
    try {
      return await this.database.asTenant(tenantId, async (tx) => {
        await this.refuseBeyondPlan(tx, tenantId);
        const id = newId();
        await this.servers.insert(tx, tenantId, { id, slug, name });
        const entry = { event: 'server.created', target: `server:${id}`, details: { slug, name } } as const;
        await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
        return this.#view(caller, await this.#getRow(tx, tenantId, slug));
      });
    } catch (error) {
      if (!isUniqueViolation(error, 'servers_slug_key')) throw error;
      throw new AppError('conflict', { message: `There is a server or profile ${slug} already. Choose another slug.` });
    }
  }

  /** @throws AppError `not_found`; `unprocessable` when a server or client that it names is none of the tenant's */
  async change(
    caller: TenantCaller,
    slug: string,
    { body: change, precondition }: Pick<InputOf<typeof changeServer>, 'body' | 'precondition'>,
  ): Promise<AnswerOf<typeof changeServer>> {
    const { tenantId } = caller;
    return this.database.asTenantWithShared(tenantId, async (tx, shared) => {
      const server = await this.servers.lock(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      precondition.require(this.#view(caller, await this.#getRow(tx, tenantId, slug)));
      await this.#refuseUnknownServers(tx, tenantId, slug, change.token_exchange?.servers ?? []);
      await this.#refuseUnknownClients(tx, shared, tenantId, change.token_exchange?.clients ?? []);
      await this.#setStaleAnswers(tx, tenantId, server.id, change.stale_answers);
      const described: [string | null, boolean | null] = [change.name ?? null, change.audit?.records_content ?? null];
      await this.servers.describe(tx, tenantId, server.id, described);
      await this.servers.setAccess(tx, tenantId, server.id, {
        writes: change.writes,
        asksFor: change.asks_for,
        toolGroups: change.tool_groups,
        exchangeClients: change.token_exchange?.clients,
        exchangeServers: change.token_exchange?.servers,
      });
      await this.servers.setTransport(tx, tenantId, server.id, {
        sseTransport: change.sse_transport,
        publicLists: change.public_lists,
        inlineResultBytes: change.inline_result_bytes,
        approvesDestructive: change.approves_destructive,
        resultGuard: change.result_guard,
      });
      const row = await this.#getRow(tx, tenantId, slug);
      const details = changedDetails(change, row);
      const entry = { event: 'server.changed', target: `server:${server.id}`, details } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      return this.#view(caller, row);
    });
  }

  /** Deletes the server with its releases, and what they were made of where no other release is. @throws AppError `not_found` */
  async remove(caller: TenantCaller, slug: string, precondition: Precondition): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      await lockScopes(tx, tenantId, 'to take');
      const server = await this.servers.lock(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      precondition.require(this.#view(caller, await this.#getRow(tx, tenantId, slug)));
      await this.#refuseWithEnvironments(tx, tenantId, server.id);
      await lockBlobs(tx, tenantId);
      const digests = await this.servers.releaseDigests(tx, tenantId, server.id);
      await this.servers.remove(tx, tenantId, server.id);
      const freed = await deleteUnusedBlobs(tx, tenantId, digests);
      const { WHARF_PUBLIC_URL: publicUrl, WHARF_BASE_DOMAIN: baseDomain } = this.config;
      const ended = await endScopesOf(tx, caller, { slug, scheme: { publicUrl, baseDomain } });
      const details = { slug, manifests_deleted: freed, ...ended };
      const entry = { event: 'server.deleted', target: `server:${server.id}`, details } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
    });
  }

  async #setStaleAnswers(
    tx: Transaction,
    tenantId: string,
    serverId: string,
    choice: StaleAnswersChoice | undefined,
  ): Promise<void> {
    if (choice === undefined) return;
    // What answers are kept under derives from the data key, which only this service may make.
    if (choice.enabled) await this.vault.provideKey(tx, tenantId);
    await this.servers.setStaleAnswers(tx, tenantId, serverId, choice);
  }

  async #refuseUnknownServers(
    tx: Transaction,
    tenantId: string,
    slug: string,
    named: readonly string[],
  ): Promise<void> {
    const unknown = named.length === 0 ? [] : await this.servers.notOthers(tx, tenantId, slug, named);
    if (unknown.length === 0) return;
    throw new AppError('unprocessable', {
      message: `You have no other server ${unknown.join(', ')}. Name servers of yours by their slugs.`,
      problems: unknown.map((name) => ({
        pointer: `/token_exchange/servers/${named.indexOf(name)}`,
        message: 'names no other server',
      })),
    });
  }

  /** Another tenant's client and none at all are answered the same. */
  async #refuseUnknownClients(
    tx: Transaction,
    shared: Transaction,
    tenantId: string,
    named: readonly string[],
  ): Promise<void> {
    const unregistered = named.length === 0 ? [] : await this.servers.notRegistered(tx, tenantId, named);
    const unknown = unregistered.length === 0 ? [] : await this.servers.notSelfRegistered(shared, unregistered);
    if (unknown.length === 0) return;
    throw new AppError('unprocessable', {
      message:
        `There is no client here that could exchange tokens as ${unknown.join(', ')}. Name clients that you ` +
        'registered with credentials (GET /v1/clients), or that registered themselves and are not forgotten.',
      problems: unknown.map((name) => ({
        pointer: `/token_exchange/clients/${named.indexOf(name)}`,
        message: 'names no client that may exchange tokens',
      })),
    });
  }

  async #refuseWithEnvironments(tx: Transaction, tenantId: string, id: string): Promise<void> {
    const environments = await this.servers.environmentsOf(tx, tenantId, id);
    if (environments.length === 0) return;
    throw new AppError('conflict', { message: `Delete its environments first: ${environments.join(', ')}.` });
  }

  /** @throws AppError `conflict` when the plan allows no more servers; concurrent creations wait for each other */
  async refuseBeyondPlan(tx: Transaction, tenantId: string): Promise<void> {
    const limits = await this.tenants.findLimits(tx, tenantId);
    const max = limits?.servers_max ?? 0;
    if ((await this.servers.count(tx, tenantId)) < max) return;
    throw new AppError('conflict', {
      message: `The plan allows ${max} servers and all are in use. Delete one, or ask for a larger plan.`,
    });
  }

  async #getRow(tx: Transaction, tenantId: string, slug: string): Promise<ServerRow> {
    const row = await this.servers.find(tx, tenantId, slug);
    if (row === undefined) throw new AppError('not_found');
    return row;
  }

  #view(caller: TenantCaller, row: ServerRow): AnswerOf<typeof getServer> {
    return serverView(row, caller.tenantSlug, this.config.WHARF_PUBLIC_URL);
  }
}

/** What the log says of a change: the settings it named, as they are now. */
function changedDetails(change: InputOf<typeof changeServer>['body'], row: ServerRow): DetailsOf<'server.changed'> {
  return {
    ...(change.name === undefined ? {} : { name: row.name }),
    ...(change.stale_answers === undefined
      ? {}
      : { stale_answers: row.stale_answers, max_age_seconds: row.stale_answers_max_age_seconds }),
    ...(change.audit === undefined ? {} : { records_content: row.records_content }),
    ...(change.writes === undefined ? {} : { writes: row.writes }),
    ...(change.asks_for === undefined ? {} : { asks_for: row.asks_for }),
    ...(change.tool_groups === undefined ? {} : { tool_groups: row.tool_groups }),
    ...(change.token_exchange === undefined
      ? {}
      : { exchange_clients: row.exchange_clients, exchange_servers: row.exchange_servers }),
    ...(change.sse_transport === undefined ? {} : { sse_transport: row.sse_transport }),
    ...(change.public_lists === undefined ? {} : { public_lists: row.public_lists }),
    ...(change.inline_result_bytes === undefined ? {} : { inline_result_bytes: row.inline_result_bytes }),
    ...(change.approves_destructive === undefined ? {} : { approves_destructive: row.approves_destructive }),
    ...(change.result_guard === undefined ? {} : { result_guard: row.result_guard }),
  };
}
