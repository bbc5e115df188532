import type { Secret } from '#libs/config';
import type { EgressContext } from './egress-context.js';

/** What the runtime may ask for before a call can start: manifests by digest, and the tenant's egress context. */
export interface Supplier {
  supply(
    tenantId: string,
    digests: readonly string[],
    context: boolean,
  ): Promise<{
    readonly manifests: ReadonlyMap<string, Buffer>;
    readonly context?: EgressContext;
  }>;
}

/** How to reach worker-runtimes. */
export interface RuntimeClientOptions {
  /** Where the runtimes listen: paths of unix sockets, or `tls://host:port`, whose host may stand for several. */
  readonly sockets: readonly string[];
  /** Where runtimes listen that are given nothing new, and are asked for what they hold already; none without it. */
  readonly holding?: readonly string[];
  /** How names are resolved; by DNS without it. */
  readonly resolve?: ResolveHost;
  readonly intakeKey: Secret;
  readonly supplier: Supplier;
  /** Hears that lists of a tenant's servers may have changed; `*` when nothing was heard for a time, so that all may have. */
  readonly onListsChanged?: (tenantId: string, servers: readonly string[]) => void;
  /** Answers what workers ask about documents in calls that bring no answerer of their own; without it, nothing does. */
  readonly answerAsk?: (tenantId: string, serverSlug: string, question: Buffer) => Promise<Buffer>;
}

/** The addresses behind a host's name. @throws where the name is not known now */
export type ResolveHost = (host: string) => Promise<readonly string[]>;
