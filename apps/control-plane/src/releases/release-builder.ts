import { Inject, Injectable } from '@nestjs/common';
import { findPlaced, type BlobStore, type Placed } from '#libs/blobs';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import {
  productionSlugOf,
  type BuildReport,
  type PersonTokens,
  type ReleaseSource,
  type RuntimeClient,
} from '#libs/protocol';
import { Slots } from '#libs/resilience';
import { BLOBS, RUNTIME, TENANT_DATABASE } from '../platform/tokens.js';
import { outlineOf, toolPrintsOf, type ManifestOutline, type ToolPrints } from './release-view.js';

const BUILDS_MAX = 2;
const BUILD_MS = 30_000;
/** Packages are fetched first. */
const NPM_BUILD_MS = 120_000;

/** A release built from its source, not stored yet. */
export interface BuiltRelease {
  readonly manifest: Buffer;
  readonly digest: string;
  readonly report: BuildReport;
  readonly outline: ManifestOutline;
  readonly prints: ToolPrints;
  /** What the build has packed, if it did, where it is to stay. */
  readonly archive?: Placed | undefined;
}

/** Has releases built inside the tenant's own workers, a few at once for each tenant. */
@Injectable()
export class ReleaseBuilder {
  readonly #slots = new Slots();

  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(RUNTIME) private readonly runtime: RuntimeClient,
    @Inject(BLOBS) private readonly blobs: BlobStore,
  ) {}

  /**
   * @throws AppError `unprocessable` with a pointer to every place of the source that cannot be used, `rate_limited`
   *   while as many builds run as a tenant may have, `unavailable` or `deadline_exceeded`.
   */
  async build(
    tenantId: string,
    serverSlug: string,
    source: ReleaseSource,
    tokens?: PersonTokens,
  ): Promise<BuiltRelease> {
    const release = this.#slots.take(tenantId, BUILDS_MAX);
    if (release === undefined) {
      throw new AppError('rate_limited', {
        message: `At most ${BUILDS_MAX} releases are built at once. Try again when one is done.`,
        retryAfterSeconds: 5,
        limit: { name: 'management.concurrent_builds', quota: BUILDS_MAX },
      });
    }
    try {
      const artefact = await this.#artefactOf(tenantId, source);
      const built = await this.runtime.build({
        tenantId,
        serverSlug: productionSlugOf(serverSlug),
        forServer: serverSlug,
        source: Buffer.from(JSON.stringify(source)),
        ...(artefact === undefined ? {} : { artefact }),
        deadlineMs: Date.now() + (source.kind === 'npm' ? NPM_BUILD_MS : BUILD_MS),
        ...thirdPartyOf(source),
        ...(source.kind === 'remote' ? { upstreams: true, tokens } : {}),
      });
      const { manifest, report } = built;
      const archive = built.archive && (await this.blobs.placeBlob(tenantId, built.archive));
      return {
        ...built,
        archive,
        report: storable(report),
        outline: outlineOf(manifest),
        prints: toolPrintsOf(manifest),
      };
    } finally {
      release();
    }
  }

  async #artefactOf(tenantId: string, source: ReleaseSource): Promise<Buffer | undefined> {
    if (source.kind !== 'openapi' && source.kind !== 'bundle') return undefined;
    if (source.artefact === undefined) return undefined;
    const digest = source.artefact;
    const placed = await this.database.asTenant(tenantId, (tx) => findPlaced(tx, tenantId, digest));
    if (placed !== undefined) return this.blobs.read(tenantId, placed);
    throw new AppError('unprocessable', {
      message: 'The source names a document that was not uploaded. Upload it with POST /v1/artefacts first.',
      problems: [{ pointer: '/source/artefact', message: 'no uploaded document has this digest' }],
    });
  }
}

/** Whether code of others is started, or installed and started. */
function thirdPartyOf({ kind }: ReleaseSource): { readonly thirdParty?: true | 'npm' } {
  if (kind === 'npm') return { thirdParty: 'npm' };
  return kind === 'bundle' ? { thirdParty: true } : {};
}

/** A report whose texts, which come from the source, PostgreSQL can hold. */
function storable(report: BuildReport): BuildReport {
  const text = (given: string): string => given.toWellFormed().replaceAll('\u0000', '\ufffd');
  return {
    ...report,
    skipped: report.skipped.map(({ pointer, operation, reason }) => ({
      pointer: text(pointer),
      operation: text(operation),
      reason: text(reason),
    })),
    renamed: report.renamed.map(({ from, to, reason }) => ({ from: text(from), to: text(to), reason: text(reason) })),
  };
}
