import type { CallReply, EgressContext, Envelope, PersonTokens } from '#libs/protocol';
import type { ReleaseManifest } from './release-manifest.js';

/** One verified call with everything its worker needs. */
export interface WorkerCall {
  readonly envelope: Envelope;
  readonly payload: Buffer;
  /** What egress may use for this call. */
  readonly context: EgressContext;
  readonly reply: CallReply;
  /** Answers with tokens of the person who calls. */
  readonly tokens?: PersonTokens | undefined;
}

/** A route that a new worker is bound to: its manifests in the order of its mounts, each once. */
export interface WorkerBinding {
  readonly route: Envelope['route'];
  readonly manifests: ReadonlyMap<string, ReleaseManifest>;
  /** Archives of its bundles, by digest. */
  readonly archives: ReadonlyMap<string, Buffer>;
  /** What the tenant's plan gives it; undefined for the runtime's default. */
  readonly memoryMb: number | undefined;
}

/** The slugs of the servers that a route serves a release as. */
export function serversOf({ mounts }: Envelope['route'], digest: string): string[] {
  return mounts.filter((mount) => mount.digest === digest).map(({ serverSlug }) => serverSlug);
}
