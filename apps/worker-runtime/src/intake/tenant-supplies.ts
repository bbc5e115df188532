import { LRUCache } from 'lru-cache';
import { AppError } from '#libs/errors';
import { type CallerFrame, digestsOf, type EgressContext, type Envelope, sha256Digest } from '#libs/protocol';
import { ReleaseManifest } from '../sessions/release-manifest.js';
import type { WorkerBinding } from '../sessions/worker-call.js';

type SupplyFrame = Extract<CallerFrame, { t: 'supply' }>;

/** What has to be sent before a call can start. */
export interface Want {
  readonly digests: readonly string[];
  readonly context: boolean;
}

interface HeldContext {
  readonly context: EgressContext;
  /** The version its asker knew, when that was another one, and until when the two count as the same. */
  readonly askedVersion: string;
  readonly askedUntilMs: number;
}

const MANIFEST_BYTES_MAX = 256 * 1024 * 1024;
const ARCHIVE_BYTES_MAX = 256 * 1024 * 1024;
const TENANTS_MAX = 10_000;
/**
 * A caller that has not yet heard of a new version asks for the old one and is given the new. For this long it is not
 * asked again; not longer, because a version may come back (an allowance removed) and mean less than what is held.
 */
const ASKED_MS = 2_000;

/** Manifests and egress contexts that callers have sent, by tenant; in memory only. */
export class TenantSupplies {
  readonly #manifests = new LRUCache<string, ReleaseManifest>({
    maxSize: MANIFEST_BYTES_MAX,
    sizeCalculation: ({ bytes }) => bytes.length || 1,
  });
  readonly #archives = new LRUCache<string, Buffer>({
    maxSize: ARCHIVE_BYTES_MAX,
    sizeCalculation: (bytes) => bytes.length || 1,
  });
  readonly #contexts = new LRUCache<string, HeldContext>({ max: TENANTS_MAX });
  readonly #forgottenAtMs = new LRUCache<string, number>({ max: TENANTS_MAX, ttl: 300_000 });

  /** What a call still needs; nothing in the usual case. */
  findMissing({ route, contextVersion }: Envelope, needs: 'context' | 'context and manifests'): Want | undefined {
    const context = !this.#isHeld(route.tenantId, contextVersion);
    if (needs === 'context') return context ? { digests: [], context } : undefined;
    const digests = digestsOf(route).filter((digest) => !this.#manifests.has(manifestKey(route.tenantId, digest)));
    if (context || digests.length > 0) return { digests, context };
    const unpacked = digestsOf(route).find((digest) => this.#lacksArchive(route.tenantId, digest));
    return unpacked === undefined ? undefined : { digests: [unpacked], context };
  }

  /** A tenant's egress context. @throws AppError internal when it was not sent before */
  getContext(tenantId: string): EgressContext {
    const held = this.#contexts.get(tenantId);
    if (held === undefined) throw new AppError('internal', { detail: { reason: 'an egress context is missing' } });
    return held.context;
  }

  /** The manifests of a route and the archives of its bundles, each once. @throws AppError internal when one was not sent before */
  getReleases(route: Envelope['route']): Pick<WorkerBinding, 'manifests' | 'archives'> {
    const manifests = this.#getManifests(route);
    const archives = new Map<string, Buffer>();
    for (const { artefact } of manifests.values()) {
      if (artefact === undefined) continue;
      const archive = this.#archives.get(manifestKey(route.tenantId, artefact));
      if (archive === undefined)
        throw new AppError('internal', { detail: { reason: 'an archive is missing', artefact } });
      archives.set(artefact, archive);
    }
    return { manifests, archives };
  }

  #getManifests(route: Envelope['route']): ReadonlyMap<string, ReleaseManifest> {
    const found = new Map<string, ReleaseManifest>();
    for (const digest of digestsOf(route)) {
      const manifest = this.#manifests.get(manifestKey(route.tenantId, digest));
      if (manifest === undefined)
        throw new AppError('internal', { detail: { reason: 'a manifest is missing', digest } });
      found.set(digest, manifest);
    }
    return found;
  }

  /** Keeps what was asked for at `askedAtMs`. @throws AppError when it is not what it says, or the tenant was evicted since */
  accept({ route, contextVersion }: Envelope, frame: SupplyFrame, payload: Buffer, askedAtMs: number): void {
    const { tenantId } = route;
    if ((this.#forgottenAtMs.get(tenantId) ?? 0) >= askedAtMs) throw new AppError('tenant_suspended');
    const asked = new Set(digestsOf(route));
    const archives = new Set<string>();
    let offset = 0;
    for (const { digest, bytes } of frame.manifests) {
      const part = payload.subarray(offset, offset + bytes);
      offset += bytes;
      if (archives.has(digest)) this.#archives.set(manifestKey(tenantId, digest), checkedArchive(digest, part));
      if (!asked.has(digest)) continue;
      const manifest = ReleaseManifest.check(digest, part);
      this.#manifests.set(manifestKey(tenantId, digest), manifest);
      if (manifest.artefact !== undefined) archives.add(manifest.artefact);
    }
    if (frame.context === undefined) return;
    this.#contexts.set(tenantId, {
      context: frame.context,
      askedVersion: contextVersion,
      askedUntilMs: Date.now() + ASKED_MS,
    });
  }

  /** Forgets a tenant's manifests and secrets, and what is still on its way. */
  forget(tenantId: string): void {
    this.#forgottenAtMs.set(tenantId, Date.now());
    this.#contexts.delete(tenantId);
    const prefix = manifestKey(tenantId, '');
    const own = [...this.#manifests.keys()].filter((key) => key.startsWith(prefix));
    for (const key of own) this.#manifests.delete(key);
    for (const key of [...this.#archives.keys()].filter((key) => key.startsWith(prefix))) this.#archives.delete(key);
  }

  #lacksArchive(tenantId: string, digest: string): boolean {
    const artefact = this.#manifests.get(manifestKey(tenantId, digest))?.artefact;
    return artefact !== undefined && !this.#archives.has(manifestKey(tenantId, artefact));
  }

  #isHeld(tenantId: string, version: string): boolean {
    const held = this.#contexts.get(tenantId);
    if (held === undefined) return false;
    return held.context.version === version || (held.askedVersion === version && held.askedUntilMs > Date.now());
  }
}

function checkedArchive(digest: string, bytes: Buffer): Buffer {
  if (sha256Digest(bytes) !== digest)
    throw new AppError('internal', { detail: { reason: 'a supplied archive does not match its digest', digest } });
  return Buffer.from(bytes);
}

function manifestKey(tenantId: string, digest: string): string {
  return `${tenantId} ${digest}`;
}
