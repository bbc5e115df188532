import { AppError } from '#libs/errors';
import { bundleNeedsOf, sha256Digest, type BundleNeeds } from '#libs/protocol';
import { EgressPolicy } from '../egress/egress-policy.js';

/** A release as a runtime holds it: its bytes for workers, its egress policy once somebody needs it. */
export class ReleaseManifest {
  #policy: EgressPolicy | undefined;
  #bundle: { readonly needs: BundleNeeds | undefined } | undefined;

  private constructor(
    readonly digest: string,
    readonly bytes: Buffer,
  ) {}

  /** A manifest that is what its digest says. @throws AppError internal */
  static check(digest: string, bytes: Buffer): ReleaseManifest {
    if (sha256Digest(bytes) !== digest) {
      throw new AppError('internal', { detail: { reason: 'a supplied manifest does not match its digest', digest } });
    }
    return new ReleaseManifest(digest, Buffer.from(bytes));
  }

  /** Digest of the bundle's archive that it is served from, if it is. @throws when it is no manifest */
  get artefact(): string | undefined {
    return this.#needs?.artefact;
  }

  /** Names of the secrets that its server is started with. @throws when it is no manifest */
  get secretNames(): readonly string[] {
    return this.#needs?.secrets ?? [];
  }

  get #needs(): BundleNeeds | undefined {
    return (this.#bundle ??= { needs: bundleNeedsOf(this.bytes) }).needs;
  }

  /** Where the release's tools may go; read at the first request of the release. @throws when it is no manifest */
  get policy(): EgressPolicy {
    return (this.#policy ??= EgressPolicy.read(this.bytes));
  }
}
