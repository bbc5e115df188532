import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { resourceUrl } from '#libs/identity';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { ServersRepository } from '../servers/servers.repository.js';
import { ServerMajorsRepository, type MajorRow } from './server-majors.repository.js';
import type { changeMajor, listMajors } from './server-majors.schema.js';

/** Shows and ends the older major versions of servers. */
@Injectable()
export class ServerMajorsService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(ServerMajorsRepository) private readonly majors: ServerMajorsRepository,
  ) {}

  /** @throws AppError `not_found` */
  async list(
    caller: TenantCaller,
    { params, query }: InputOf<typeof listMajors>,
  ): Promise<AnswerOf<typeof listMajors>> {
    const { tenantId } = caller;
    const rows = await this.database.asTenant(tenantId, async (tx) =>
      this.majors.list(tx, tenantId, await this.#getServerId(tx, tenantId, params.server)),
    );
    const page = pageByKey(rows, ({ major }) => String(major).padStart(5, '0'), 'descending', query);
    return { majors: page.rows.map((row) => this.#view(row, caller, params.server)), next_cursor: page.next };
  }

  /** @throws AppError `not_found`, also for the live major version, which has no end */
  async change(
    caller: TenantCaller,
    { params, body }: Pick<InputOf<typeof changeMajor>, 'params' | 'body'>,
  ): Promise<AnswerOf<typeof changeMajor>> {
    const { tenantId } = caller;
    const major = Number(params.major);
    const row = await this.database.asTenant(tenantId, async (tx) => {
      const serverId = await this.#getServerId(tx, tenantId, params.server);
      const until = body.served_until;
      if (!(await this.majors.keepUntil(tx, tenantId, { serverId, major, until }))) throw new AppError('not_found');
      const details = { major, served_until: until };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'server_major.changed', target: `server:${serverId}`, details }),
      ]);
      return (await this.majors.list(tx, tenantId, serverId)).find((found) => found.major === major);
    });
    if (row === undefined) throw new AppError('not_found');
    return { major: this.#view(row, caller, params.server) };
  }

  #view(row: MajorRow, { tenantSlug }: TenantCaller, serverSlug: string) {
    const { major, served_until: until } = row;
    const ended = until !== null && until.getTime() <= Date.now();
    return {
      major,
      version: row.version,
      release: row.release_id,
      url: resourceUrl({ publicUrl: this.config.WHARF_PUBLIC_URL }, { kind: 'server', tenantSlug, serverSlug, major }),
      state: until === null ? ('live' as const) : ended ? ('ended' as const) : ('deprecated' as const),
      deprecated_at: row.deprecated_at?.toISOString() ?? null,
      served_until: until?.toISOString() ?? null,
    };
  }

  async #getServerId(tx: Transaction, tenantId: string, slug: string): Promise<string> {
    const server = await this.servers.find(tx, tenantId, slug);
    if (server === undefined) throw new AppError('not_found');
    return server.id;
  }
}
