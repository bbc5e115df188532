import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { isUniqueViolation, newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { serverView } from '../servers/server-view.js';
import { ServersRepository } from '../servers/servers.repository.js';
import { ServersService } from '../servers/servers.service.js';
import { PRODUCTION } from './environment-name.js';
import { EnvironmentsRepository, type FamilyMember } from './environments.repository.js';
import type { changeEnvironment, createEnvironment, getEnvironment, listEnvironments } from './environments.schema.js';

type Answer = AnswerOf<typeof getEnvironment>;
type Place = InputOf<typeof getEnvironment>['params'];

/** The environments of servers. */
@Injectable()
export class EnvironmentsService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(ServersService) private readonly serversService: ServersService,
    @Inject(EnvironmentsRepository) private readonly environments: EnvironmentsRepository,
  ) {}

  /** @throws AppError `not_found` */
  async list(
    caller: TenantCaller,
    { params, query }: Pick<InputOf<typeof listEnvironments>, 'params' | 'query'>,
  ): Promise<AnswerOf<typeof listEnvironments>> {
    return this.database.asTenant(caller.tenantId, async (tx) => {
      const family = await this.environments.family(tx, caller.tenantId, params.server);
      if (family.length === 0) throw new AppError('not_found');
      const page = pageByKey(family, ({ slug }) => slug, 'ascending', query);
      const environments: Answer[] = [];
      for (const member of page.rows) environments.push(await this.#view(tx, caller, member));
      return { environments, next_cursor: page.next };
    });
  }

  /** @throws AppError `not_found`; `conflict` where there is one of this name, or the plan allows no more servers */
  async create(caller: TenantCaller, slug: string, environment: string): Promise<AnswerOf<typeof createEnvironment>> {
    const { tenantId } = caller;
    try {
      return await this.database.asTenant(tenantId, async (tx) => {
        const [production] = await this.environments.family(tx, tenantId, slug);
        if (production === undefined) throw new AppError('not_found');
        await this.serversService.refuseBeyondPlan(tx, tenantId);
        await this.servers.lock(tx, tenantId, production.slug);
        const made = {
          id: newId(),
          slug: `${production.slug}~${environment}`,
          environment,
          productionId: production.id,
        };
        await this.environments.insert(tx, tenantId, made);
        const details = { slug: made.slug, environment, production: production.id };
        await appendAudit(tx, tenantId, [
          doneBy(caller, { event: 'environment.created', target: `server:${made.id}`, details }),
        ]);
        return this.#view(tx, caller, await this.#member(tx, tenantId, { server: slug, environment }));
      });
    } catch (error) {
      if (!isUniqueViolation(error, 'servers_slug_key')) throw error;
      throw new AppError('conflict', { message: `There is an environment ${environment} already.` });
    }
  }

  /** @throws AppError `not_found` */
  async get(caller: TenantCaller, place: Place): Promise<Answer> {
    return this.database.asTenant(caller.tenantId, async (tx) =>
      this.#view(tx, caller, await this.#member(tx, caller.tenantId, place)),
    );
  }

  /** @throws AppError `not_found`; `unprocessable` for production; `precondition_failed` */
  async change(
    caller: TenantCaller,
    { params: place, body, precondition }: InputOf<typeof changeEnvironment>,
  ): Promise<Answer> {
    const { policy: change } = body;
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const { id, slug, environment } = await this.#member(tx, tenantId, place);
      if (environment === null)
        throw new AppError('unprocessable', { message: 'What holds in production is the plan’s to say.' });
      await this.servers.lock(tx, tenantId, slug);
      const before = policyOf(await this.#member(tx, tenantId, place));
      precondition.require(before);
      const policy = {
        calls_per_minute: chosen(change.calls_per_minute, before.calls_per_minute),
        concurrent_calls: chosen(change.concurrent_calls, before.concurrent_calls),
        audit_mode: chosen(change.audit_mode, before.audit_mode),
        egress_hosts: chosen(change.egress_hosts, before.egress_hosts),
      };
      await this.environments.setPolicy(tx, tenantId, id, policy);
      const entry = {
        event: 'environment.changed',
        target: `server:${id}`,
        details: { environment, ...policy },
      } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      return this.#view(tx, caller, await this.#member(tx, tenantId, place));
    });
  }

  async #member(tx: Transaction, tenantId: string, { server, environment }: Place): Promise<FamilyMember> {
    const family = await this.environments.family(tx, tenantId, server);
    const member = family.find((one) => (one.environment ?? PRODUCTION) === environment);
    if (member === undefined) throw new AppError('not_found');
    return member;
  }

  async #view(tx: Transaction, caller: TenantCaller, member: FamilyMember): Promise<Answer> {
    const row = await this.servers.find(tx, caller.tenantId, member.slug);
    if (row === undefined) throw new AppError('not_found');
    return {
      environment: member.environment ?? PRODUCTION,
      server: serverView(row, caller.tenantSlug, this.config.WHARF_PUBLIC_URL),
      policy: member.environment === null ? null : policyOf(member),
    };
  }
}

function policyOf({ calls_per_minute, concurrent_calls, audit_mode, egress_hosts }: FamilyMember) {
  return { calls_per_minute, concurrent_calls, audit_mode, egress_hosts };
}

/** What a change says, or what it leaves as it is. */
function chosen<Value>(said: Value | undefined, before: Value): Value {
  return said === undefined ? before : said;
}
