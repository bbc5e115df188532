import { Inject, Injectable } from '@nestjs/common';
import { findBlob } from '#libs/blobs';
import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { environmentOf } from '#libs/protocol';
import { findOpenRollout } from '#libs/rollouts';
import { PRODUCTION } from '../environments/environment-name.js';
import { EnvironmentsRepository, type FamilyMember } from '../environments/environments.repository.js';
import { outlineOf } from '../releases/release-view.js';
import { ReleasesRepository, type ReleaseRow } from '../releases/releases.repository.js';
import { ServersRepository, type LockedServer } from '../servers/servers.repository.js';

/** What somebody wants to have promoted, and where to. */
interface Wish {
  readonly slug: string;
  readonly order: { readonly from: string; readonly release?: string | undefined };
}

/** A server that takes a release over, and the release as it is where it comes from. */
export interface Promotion {
  readonly slug: string;
  readonly server: LockedServer;
  readonly from: ReleaseRow;
}

/** Releases that may be promoted: those that serve an environment now, and passed their checks there. */
@Injectable()
export class PromotionSources {
  constructor(
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(EnvironmentsRepository) private readonly environments: EnvironmentsRepository,
    @Inject(ReleasesRepository) private readonly releases: ReleasesRepository,
  ) {}

  /**
   * Finds both ends, and keeps them from changing until the transaction ends.
   * @throws AppError `not_found` where there is no such environment or release; `conflict` where it does not serve it alone
   */
  async get(tx: Transaction, tenantId: string, { slug, order }: Wish): Promise<Promotion> {
    await this.environments.lockFamily(tx, tenantId, slug);
    const server = await this.servers.lock(tx, tenantId, slug);
    const family = await this.environments.family(tx, tenantId, slug);
    const source = family.find(({ environment }) => (environment ?? PRODUCTION) === order.from);
    if (server === undefined || source === undefined) throw new AppError('not_found');
    if (source.slug === slug)
      throw new AppError('conflict', { message: `${order.from} is this environment. Name the one to promote from.` });
    return { slug, server, from: await this.#serving(tx, tenantId, { source, order }) };
  }

  async #serving(
    tx: Transaction,
    tenantId: string,
    { source, order }: Pick<Wish, 'order'> & { readonly source: FamilyMember },
  ): Promise<ReleaseRow> {
    const locked = await this.servers.lock(tx, tenantId, source.slug);
    const live = locked?.live_release_id ?? null;
    const wanted = order.release ?? live;
    if (wanted === null) throw notServing(order.from, 'Nothing is live there');
    const release = await this.releases.find(tx, tenantId, source.id, wanted);
    if (release === undefined) throw new AppError('not_found');
    if (release.state === 'rejected') throw notServing(order.from, `Release ${release.number} was rejected there`);
    if (release.id !== live || release.state !== 'live')
      throw notServing(order.from, `Release ${release.number} is ${release.state} there`);
    if (release.verification === null)
      throw notServing(order.from, `Release ${release.number} was never verified there`);
    const open = await findOpenRollout(tx, tenantId, source.id);
    if (open !== undefined) throw notServing(order.from, `Rollout ${open.id} is ${open.state} there`);
    return release;
  }

  /** @throws AppError `unprocessable` naming the secrets that the release uses and the environment has not */
  async requireSecrets(
    tx: Transaction,
    tenantId: string,
    { slug, release }: { readonly slug: string; readonly release: ReleaseRow },
  ): Promise<void> {
    const manifest = await findBlob(tx, tenantId, release.digest);
    if (manifest === undefined) throw new AppError('internal', { detail: { reason: 'a manifest is gone' } });
    const names = outlineOf(manifest).secretNames;
    const missing = await this.releases.missingSecrets(tx, tenantId, { server: slug, names });
    if (missing.length === 0) return;
    const environment = environmentOf(slug) ?? PRODUCTION;
    throw new AppError('unprocessable', {
      message:
        `${environment} lacks the secrets ${missing.join(', ')}, which the release uses. ` +
        `Write each with PUT /v1/secrets/{name}?environment=${environment}.`,
    });
  }
}

function notServing(environment: string, why: string): AppError {
  return new AppError('conflict', { message: `${why}. What is promoted is what serves ${environment}, alone.` });
}
