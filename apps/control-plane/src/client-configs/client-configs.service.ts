import { Inject, Injectable } from '@nestjs/common';
import { clientConfigs, clientName } from '#libs/client-configs';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { resourceUrl } from '#libs/identity';
import type { TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import type { listClientConfigs } from './client-configs.schema.js';

/** How agents are told of a tenant's URLs. */
@Injectable()
export class ClientConfigsService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
  ) {}

  /** @throws AppError `not_found` where the tenant has no server or profile of this slug */
  async list(
    { tenantId, tenantSlug }: TenantCaller,
    { at: serverSlug, client, credentials, ...page }: InputOf<typeof listClientConfigs>['query'],
  ): Promise<AnswerOf<typeof listClientConfigs>> {
    if (serverSlug !== undefined) await this.#requireUrl(tenantId, serverSlug);
    const name = clientName({ tenantSlug, serverSlug });
    const resource =
      serverSlug === undefined
        ? ({ kind: 'tenant', tenantSlug } as const)
        : ({ kind: 'server', tenantSlug, serverSlug } as const);
    const url = resourceUrl({ publicUrl: this.config.WHARF_PUBLIC_URL }, resource);
    const configs = clientConfigs({ name, url, credentials }).filter((one) => (client ?? one.client) === one.client);
    const shown = pageByKey(configs, (one) => one.client, 'ascending', page);
    return {
      name,
      url,
      configs: shown.rows.map((one) => ({ ...one, steps: [...one.steps] })),
      next_cursor: shown.next,
    };
  }

  async #requireUrl(tenantId: string, slug: string): Promise<void> {
    const rows: unknown[] = await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select from servers where tenant_id = $1 and slug = $2
         union all select from profiles where tenant_id = $1 and slug = $2`,
        [tenantId, slug],
      ),
    );
    if (rows.length === 0) throw new AppError('not_found', { message: `There is no server or profile ${slug}.` });
  }
}
