import type { EgressContext, PersonTokens } from '#libs/protocol';

/** One release to build. Epoch milliseconds; `source` is the JSON of the source, then the artefact. */
export interface BuildOrder {
  readonly tenantId: string;
  readonly serverSlug: string;
  readonly sourceBytes: number;
  readonly payload: Buffer;
  readonly deadlineMs: number;
  /** Set when the artefact is code, which the build starts; `npm` when it installs that code first. */
  readonly thirdParty?: true | 'npm' | undefined;
  /** Set when the build asks upstream servers: what egress may do for the tenant. */
  readonly context?: EgressContext | undefined;
  /** Answers with tokens of the person who asked for it. */
  readonly tokens?: PersonTokens | undefined;
}
