import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { connectUrl } from '#libs/connections';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import type { listOwn, startOwn } from './own-connections.schema.js';

interface OwnRow {
  readonly connector: string;
  readonly title: string;
  readonly issuer: string;
  readonly state: 'connected' | 'reconnect' | null;
  readonly scope: string | null;
  readonly connected_at: Date | null;
}

/** The logins of the caller at upstreams, and of nobody else. */
@Injectable()
export class OwnConnectionsService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
  ) {}

  async list(caller: TenantCaller, query: InputOf<typeof listOwn>['query']): Promise<AnswerOf<typeof listOwn>> {
    const rows = await this.database.asTenant(caller.tenantId, (tx) => rowsOf(tx, caller));
    const page = pageByKey(rows, ({ connector }) => connector, 'ascending', query);
    return { connections: page.rows.map((row) => this.#view(caller, row)), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async start(
    caller: TenantCaller,
    { connector }: InputOf<typeof startOwn>['body'],
  ): Promise<AnswerOf<typeof startOwn>> {
    const rows = await this.database.asTenant(caller.tenantId, (tx) => rowsOf(tx, caller));
    const row = rows.find((each) => each.connector === connector);
    if (row === undefined) throw new AppError('not_found');
    return this.#view(caller, row);
  }

  /** One that is not there is as it was wanted. @throws AppError `not_found` where there is no such connector */
  async end(caller: TenantCaller, connector: string): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      const row = (await rowsOf(tx, caller)).find((each) => each.connector === connector);
      if (row === undefined) throw new AppError('not_found');
      const accountId = accountOf(caller);
      const [gone]: [unknown[], number] = await tx.query(
        `delete from connections c using connectors k
         where c.tenant_id = $1 and c.account_id = $2 and k.tenant_id = $1 and k.name = $3 and k.id = c.connector_id
         returning c.account_id`,
        [tenantId, accountId, connector],
      );
      if (gone.length === 0) return;
      const details = { connector, issuer: row.issuer };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'connection.ended', target: `account:${accountId}`, details }),
      ]);
    });
  }

  #view({ tenantSlug }: TenantCaller, row: OwnRow): AnswerOf<typeof startOwn> {
    const { connector, connected_at: connected } = row;
    return {
      ...row,
      state: row.state ?? 'none',
      connected_at: connected?.toISOString() ?? null,
      connect_url: connectUrl(this.config.issuer, { tenantSlug, connector }),
    };
  }
}

function rowsOf(tx: Transaction, caller: TenantCaller): Promise<OwnRow[]> {
  return tx.query(
    `select k.name as connector, k.title, k.issuer, c.state, c.scope, c.connected_at
     from connectors k
     left join connections c on c.tenant_id = k.tenant_id and c.connector_id = k.id and c.account_id = $2
     where k.tenant_id = $1 order by k.name`,
    [caller.tenantId, accountOf(caller)],
  );
}

/** @throws AppError `forbidden` for a key or a machine, which is nobody in person */
function accountOf({ principal }: TenantCaller): string {
  if (principal.kind === 'person') return principal.subject;
  throw new AppError('forbidden', {
    message: 'Logins at upstreams are people’s own: keys and machine clients have none. Use a person’s access token.',
  });
}
