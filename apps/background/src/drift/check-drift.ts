import { z } from 'zod';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { closeJob, checkDriftJob } from '#libs/jobs';
import {
  readManifest,
  type BuiltRelease,
  type RemoteManifest,
  type RuntimeClient,
  type Supplier,
  productionSlugOf,
} from '#libs/protocol';
import type { JobHandler, JobRun } from '../jobs/job-handler.js';
import { driftBetween, fingerprintOf } from './drift.js';
import { keepFinding } from './keep-finding.js';
import { findWatched, lockBase, noteLook, type Finding, type WatchedServer } from './watched-server.js';

type Payload = z.infer<typeof checkDriftJob.payload>;

const BUILD_MS = 30_000;
/** Where a build says that an upstream did not list what it offers, which says nothing about what it would list. */
const UNREACHED = /^\/upstreams\/\d+\/url$/;

/** What a look works with. */
export interface DriftParts {
  readonly database: Database;
  readonly runtime: Pick<RuntimeClient, 'build'>;
  readonly supplier: Supplier;
}

/**
 * Builds a server's live release again from its source and compares. Nothing is held while upstreams are asked; what came
 * of it is kept, and the job closed, in one transaction under the server's lock, for the release that was looked at.
 */
export class CheckDrift implements JobHandler<Payload> {
  readonly definition = checkDriftJob;

  constructor(private readonly parts: DriftParts) {}

  async run({ tenantId, serverId }: Payload, { jobId }: JobRun): Promise<void> {
    const { database } = this.parts;
    const server = await database.asTenant(tenantId, (tx) => findWatched(tx, { tenantId, serverId }));
    if (server === undefined) return;
    const finding = await this.#look(server);
    await database.asTenant(tenantId, async (tx) => {
      if (await lockBase(tx, server)) await keepFinding(tx, server, finding);
      await closeJob(tx, tenantId, jobId);
    });
  }

  async giveUp({ tenantId, serverId }: Payload, _run: JobRun, reason: string): Promise<void> {
    await this.parts.database.asTenant(tenantId, (tx) => noteLook(tx, { tenantId, serverId }, 'unknown', reason));
  }

  async #look(server: WatchedServer): Promise<Finding> {
    const obstacle = obstacleIn(server.source);
    if (obstacle !== undefined) return { kind: 'unknown', detail: obstacle };
    const built = await this.#build(server).catch(findingOf);
    if ('kind' in built) return built;
    const parsed = remoteOf(built.manifest);
    const live = await this.#live(server);
    const fingerprint = fingerprintOf(parsed);
    if (fingerprint === fingerprintOf(live)) return { kind: 'same' };
    return { kind: 'drifted', fingerprint, drift: driftBetween(live, parsed), built: { ...built, parsed } };
  }

  #build({ tenantId, serverSlug, source }: WatchedServer): Promise<BuiltRelease> {
    const deadlineMs = Date.now() + BUILD_MS;
    const text = Buffer.from(JSON.stringify(source));
    return this.parts.runtime.build({
      tenantId,
      serverSlug: productionSlugOf(serverSlug),
      forServer: serverSlug,
      source: text,
      deadlineMs,
      upstreams: true,
    });
  }

  async #live({ tenantId, digest }: WatchedServer): Promise<RemoteManifest> {
    const { manifests } = await this.parts.supplier.supply(tenantId, [digest], false);
    const manifest = manifests.get(digest);
    if (manifest === undefined) throw new AppError('internal', { detail: { digest } });
    return remoteOf(manifest);
  }
}

const sourceSchema = z.object({
  upstreams: z.array(z.object({ auth: z.object({ kind: z.string() }).optional() })),
});

/** Why a release cannot be built again by nobody in particular; undefined where it can. */
function obstacleIn(source: unknown): string | undefined {
  if (source === null) return 'What the live release was built from was not kept. Build and publish it again.';
  const { upstreams } = sourceSchema.parse(source);
  if (upstreams.every(({ auth }) => auth?.kind !== 'connection')) return undefined;
  return 'An upstream at which all callers log in themselves is asked for nobody. Calls to what changed there are refused all the same; build and publish the server again to approve it.';
}

function remoteOf(manifest: Buffer): RemoteManifest {
  const parsed = readManifest(manifest);
  if (parsed.kind === 'remote') return parsed;
  throw new AppError('internal', { detail: { kind: parsed.kind } });
}

/** An upstream that is not there has not drifted; what it lists and cannot be released has. @throws what says nothing about the upstream */
function findingOf(error: unknown): Finding {
  if (!(error instanceof AppError)) throw error;
  const { code, problems } = error;
  if (code === 'deadline_exceeded') return { kind: 'unreachable', detail: 'The upstreams did not answer in time.' };
  if (code !== 'unprocessable' || problems.length === 0) throw error;
  const unreached = problems.filter(({ pointer }) => UNREACHED.test(pointer));
  if (unreached.length === 0) return { kind: 'unusable', problems };
  return {
    kind: 'unreachable',
    detail: unreached
      .map(({ message }) => message)
      .join(' ')
      .slice(0, 1_000),
  };
}
