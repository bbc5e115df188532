import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { enqueue, runProbesJob } from '#libs/jobs';
import { probeFigures } from '#libs/probes';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Precondition } from '../contract/precondition.js';
import { pageByKey, pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ReleasesRepository } from '../releases/releases.repository.js';
import { ServersRepository, type LockedServer } from '../servers/servers.repository.js';
import { figuresView, probeView, resultView } from './probe-view.js';
import { ProbesRepository, type ProbeRow, type ProbeWords } from './probes.repository.js';
import type { changeProbe, createProbe, getProbe, listProbeResults, listProbes, runProbes } from './probes.schema.js';

const PROBES_MAX = 20;
const HOUR_MS = 3_600_000;

type ProbeParams = InputOf<typeof getProbe>['params'];

/** A server's probes: written here, run by the background service. */
@Injectable()
export class ProbesService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(ReleasesRepository) private readonly releases: ReleasesRepository,
    @Inject(ProbesRepository) private readonly probes: ProbesRepository,
  ) {}

  /** @throws AppError `not_found`, or `conflict` for a name that is taken or one probe too many */
  async create(
    caller: TenantCaller,
    { params, body }: Pick<InputOf<typeof createProbe>, 'params' | 'body'>,
  ): Promise<AnswerOf<typeof createProbe>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.#lock(tx, tenantId, params.server);
      const others = await this.probes.list(tx, tenantId, server.id);
      if (others.length >= PROBES_MAX)
        throw new AppError('conflict', { message: `A server has at most ${PROBES_MAX} probes. Delete one first.` });
      refuseTakenName(others, body.name);
      const row = await this.probes.insert(tx, tenantId, server.id, newId(), body);
      await note(tx, caller, 'probe.created', row);
      return { probe: probeView(row) };
    });
  }

  /** @throws AppError `not_found` */
  async list(
    { tenantId }: TenantCaller,
    { params, query }: InputOf<typeof listProbes>,
  ): Promise<AnswerOf<typeof listProbes>> {
    const rows = await this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, params.server);
      if (server === undefined) throw new AppError('not_found');
      return this.probes.list(tx, tenantId, server.id);
    });
    const page = pageByKey(rows, ({ id }) => id, 'ascending', query);
    return { probes: page.rows.map(probeView), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, params: ProbeParams): Promise<AnswerOf<typeof getProbe>> {
    const row = await this.database.asTenant(tenantId, (tx) => this.#getProbe(tx, tenantId, params));
    return { probe: probeView(row) };
  }

  /** @throws AppError `not_found`, or `conflict` for a name that is taken */
  async change(
    caller: TenantCaller,
    { params, body, precondition }: InputOf<typeof changeProbe>,
  ): Promise<AnswerOf<typeof changeProbe>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.#lock(tx, tenantId, params.server);
      const before = await this.#getProbe(tx, tenantId, params);
      precondition.require({ probe: probeView(before) });
      const others = await this.probes.list(tx, tenantId, server.id);
      const words = wordsOf(before, body);
      refuseTakenName(
        others.filter(({ id }) => id !== before.id),
        words.name,
      );
      const row = await this.probes.update(tx, tenantId, before.id, words);
      if (row === undefined) throw new AppError('not_found');
      await note(tx, caller, 'probe.changed', row);
      return { probe: probeView(row) };
    });
  }

  /** @throws AppError `not_found` */
  async remove(caller: TenantCaller, params: ProbeParams, precondition: Precondition): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      await this.#lock(tx, tenantId, params.server);
      const row = await this.#getProbe(tx, tenantId, params);
      precondition.require({ probe: probeView(row) });
      await this.probes.remove(tx, tenantId, row.id);
      await note(tx, caller, 'probe.deleted', row);
    });
  }

  /** @throws AppError `not_found` also for a release or a probe that is not there, or `conflict` where nothing is live */
  async run(
    { tenantId }: TenantCaller,
    { params, body }: Pick<InputOf<typeof runProbes>, 'params' | 'body'>,
  ): Promise<AnswerOf<typeof runProbes>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, params.server);
      if (server === undefined) throw new AppError('not_found');
      const releaseId = body.release ?? server.live?.id;
      if (releaseId === undefined)
        throw new AppError('conflict', { message: 'No release of this server is live. Name the one to probe.' });
      if ((await this.releases.find(tx, tenantId, server.id, releaseId)) === undefined) throw new AppError('not_found');
      for (const probe of body.probes ?? []) await this.#getProbe(tx, tenantId, { server: params.server, probe });
      const chosen = body.probes === undefined ? {} : { probeIds: body.probes };
      const order = { tenantId, serverId: server.id, releaseId, cause: 'request' as const, ...chosen };
      return { run: await enqueue(tx, tenantId, runProbesJob, order) };
    });
  }

  /** @throws AppError `not_found` */
  async results(
    { tenantId }: TenantCaller,
    { params, query }: Pick<InputOf<typeof listProbeResults>, 'params' | 'query'>,
  ): Promise<AnswerOf<typeof listProbeResults>> {
    const { limit, cursor, release, run } = query;
    const since = new Date(Date.now() - query.hours * HOUR_MS);
    const { rows, figures } = await this.database.asTenant(tenantId, async (tx) => {
      const { id: probeId } = await this.#getProbe(tx, tenantId, params);
      const wanted = { probeId, since, ...(release === undefined ? {} : { releaseId: release }) };
      return {
        rows: await this.probes.results(tx, tenantId, {
          probeId,
          limit: limit + 1,
          cursor,
          releaseId: release,
          jobId: run,
        }),
        figures: await probeFigures(tx, tenantId, wanted),
      };
    });
    const page = pageOf(rows, limit);
    return { results: page.rows.map(resultView), next_cursor: page.next, figures: figuresView(figures[0]) };
  }

  async #getProbe(tx: Transaction, tenantId: string, { server: slug, probe }: ProbeParams): Promise<ProbeRow> {
    const server = await this.servers.find(tx, tenantId, slug);
    const row = server && (await this.probes.find(tx, tenantId, server.id, probe));
    if (row === undefined) throw new AppError('not_found');
    return row;
  }

  async #lock(tx: Transaction, tenantId: string, slug: string): Promise<LockedServer> {
    const server = await this.servers.lock(tx, tenantId, slug);
    if (server === undefined) throw new AppError('not_found');
    return server;
  }
}

function wordsOf(before: ProbeRow, changes: InputOf<typeof changeProbe>['body']): ProbeWords {
  return {
    name: changes.name ?? before.name,
    tool: changes.tool ?? before.tool,
    arguments: changes.arguments ?? before.arguments,
    expect: changes.expect ?? before.expect,
    allow_effects: changes.allow_effects ?? before.allow_effects,
    enabled: changes.enabled ?? before.enabled,
    every_seconds: changes.every_seconds === undefined ? before.every_seconds : changes.every_seconds,
  };
}

function refuseTakenName(others: readonly ProbeRow[], name: string): void {
  if (others.some((other) => other.name === name))
    throw new AppError('conflict', { message: `This server has a probe ${name} already. Choose another name.` });
}

async function note(
  tx: Transaction,
  caller: TenantCaller,
  event: 'probe.created' | 'probe.changed' | 'probe.deleted',
  row: ProbeRow,
): Promise<void> {
  const { name, tool, allow_effects: effects, enabled } = row;
  const details = { server: row.server_id, name, tool, allow_effects: effects, enabled };
  await appendAudit(tx, caller.tenantId, [doneBy(caller, { event, target: `probe:${row.id}`, details })]);
}
