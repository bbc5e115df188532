import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { ServersRepository, type LockedServer } from '../servers/servers.repository.js';
import { registryName } from './listed-server.js';
import { RegistryRepository, type EntryRow } from './registry.repository.js';
import type { deleteEntry, getEntry, putEntry } from './registry.schema.js';

/** What tenants say of their servers in the registry. */
@Injectable()
export class RegistryEntriesService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(RegistryRepository) private readonly registry: RegistryRepository,
  ) {}

  /** @throws AppError `not_found` */
  async get(caller: TenantCaller, { params }: InputOf<typeof getEntry>): Promise<AnswerOf<typeof getEntry>> {
    return this.#at(caller, params.server, async (tx, { id }) =>
      this.#shown(caller, await this.#require(tx, caller, id)),
    );
  }

  /** @throws AppError `not_found`; `unprocessable` for an environment, which is nobody's to discover */
  async put(
    caller: TenantCaller,
    { params, body, precondition }: InputOf<typeof putEntry>,
  ): Promise<AnswerOf<typeof putEntry>> {
    if (params.server.includes('~'))
      throw new AppError('unprocessable', {
        message: 'An environment stands in no registry. Name the server itself.',
      });
    return this.#at(caller, params.server, async (tx, { id }) => {
      const before = await this.registry.find(tx, caller.tenantId, id);
      precondition.require(before && this.#shown(caller, before));
      const tenant = { id: caller.tenantId, slug: caller.tenantSlug };
      await this.registry.put(tx, tenant, id, { server_slug: params.server, ...body });
      const details = { slug: params.server, visibility: body.visibility };
      await note(tx, caller, { event: 'registry_entry.put', target: `server:${id}`, details });
      return this.#shown(caller, await this.#require(tx, caller, id));
    });
  }

  /** @throws AppError `not_found` */
  async remove(caller: TenantCaller, { params, precondition }: InputOf<typeof deleteEntry>): Promise<void> {
    await this.#at(caller, params.server, async (tx, { id }) => {
      precondition.require(this.#shown(caller, await this.#require(tx, caller, id)));
      await this.registry.remove(tx, caller.tenantId, id);
      const details = { slug: params.server };
      await note(tx, caller, { event: 'registry_entry.deleted', target: `server:${id}`, details });
    });
  }

  async #at<Result>(
    { tenantId }: TenantCaller,
    slug: string,
    work: (tx: Transaction, server: LockedServer) => Promise<Result>,
  ): Promise<Result> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.lock(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      return work(tx, server);
    });
  }

  async #require(tx: Transaction, { tenantId }: TenantCaller, serverId: string): Promise<EntryRow> {
    const row = await this.registry.find(tx, tenantId, serverId);
    if (row === undefined) throw new AppError('not_found', { message: 'The server has no entry in the registry.' });
    return row;
  }

  #shown(
    { tenantSlug }: TenantCaller,
    { server_slug: slug, updated_at: at, ...row }: EntryRow,
  ): AnswerOf<typeof getEntry> {
    return { name: registryName(this.config.WHARF_PUBLIC_URL, tenantSlug, slug), ...row, updated_at: at.toISOString() };
  }
}

async function note(
  tx: Transaction,
  caller: TenantCaller,
  entry: Parameters<typeof doneBy<'registry_entry.put' | 'registry_entry.deleted'>>[1],
): Promise<void> {
  await appendAudit(tx, caller.tenantId, [doneBy(caller, entry)]);
}
