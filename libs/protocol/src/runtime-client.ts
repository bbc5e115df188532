import type { Secret } from '#libs/config';
import type { BuildReport } from './manifest.js';
import type { EgressContext, Envelope, FrameFailure, OutcomeClass } from './messages.js';

/** What the runtime may ask for before a call can start: manifests by digest, and the tenant's egress context. */
export interface Supplier {
  supply(tenantId: string, digests: readonly string[], context: boolean): Promise<{
    readonly manifests: ReadonlyMap<string, Buffer>;
    readonly context?: EgressContext;
  }>;
}

/** How to reach worker-runtimes. */
export interface RuntimeClientOptions {
  /** Unix socket paths, one for each runtime. */
  readonly sockets: readonly string[];
  readonly intakeKey: Secret;
  readonly supplier: Supplier;
}

/** Hears a call's frames in order; exactly one of `onDone` and `onFail` comes, last. */
export interface CallReply {
  onPart(message: Buffer): void;
  onDone(message: Buffer, outcome: OutcomeClass, upstreamMs: number | undefined): void;
  onFail(failure: FrameFailure, outcome: OutcomeClass, started: boolean): void;
}

// CONTRACT (implemented by the worker-runtime room):
//   RuntimeClient.connect(options): Promise<RuntimeClient>      keeps one connection to each runtime, reconnects by itself
//   client.call(envelope, payload, reply): () => void           returns cancel; never throws: failures go to onFail
//   client.build({tenantId, serverSlug, source, artefact?, deadlineMs, signal?}): Promise<{manifest, digest, report}>
//                                                               throws AppError 'unprocessable' with problems
//   client.evict(tenantId): Promise<void>
//   client.ready: boolean ; client.close(): Promise<void>
export declare class RuntimeClient {
  static connect(options: RuntimeClientOptions): Promise<RuntimeClient>;
  readonly ready: boolean;
  call(envelope: Envelope, payload: Buffer, reply: CallReply): () => void;
  build(request: {
    readonly tenantId: string;
    readonly serverSlug: string;
    readonly source: Buffer;
    readonly artefact?: Buffer;
    readonly deadlineMs: number;
  }): Promise<{ readonly manifest: Buffer; readonly digest: string; readonly report: BuildReport }>;
  evict(tenantId: string): Promise<void>;
  close(): Promise<void>;
}
