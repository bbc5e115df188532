import type { CallFault, GuardReport } from '#libs/protocol';
import type { Exchange } from '../edge/exchange.js';
import type { MountedTool } from '../routing/route-tools.js';
import type { RoutedCall } from '../routing/route-table.js';

/** A call that was understood, and how it ended: what every count is taken from. */
export interface CallEnd {
  readonly call: RoutedCall & { readonly principalBinding?: string; readonly tool?: MountedTool };
  readonly exchange: Exchange;
  /** Class of its outcome, or the code of its refusal. */
  readonly outcome: string;
  /** Code of the JSON-RPC error that it was answered with. */
  readonly errorCode: number | undefined;
  readonly fault: CallFault | undefined;
  /** What its server's result guard did to the answer. */
  readonly guard?: GuardReport | undefined;
  /** The session it belongs to: its id in the 2025 era. */
  readonly sessionId: string | undefined;
  readonly seconds: number;
  /** Its client was gone before it was answered; a request of the 2025 era goes on all the same. */
  readonly left?: boolean;
  /** What of it was not spent in its worker, where a worker had it. */
  readonly queueSeconds?: number | undefined;
  /** What the processes of its worker held together, where the runtime tells. */
  readonly workerMemoryBytes?: number | undefined;
  /** Calls of the same tool under way in this gateway when it began, itself included. */
  readonly concurrency?: number | undefined;
}

/** A tool as a call names it: the server's slug and the tool's own name. */
export interface NamedTool {
  readonly server: string;
  readonly name: string;
}

const TOOL_LENGTH_MAX = 128;

/** Which release of a server that is being rolled out a call went to; `stable` where none is. */
export type ReleaseRole = 'stable' | 'candidate';

/** The role of the release that a call of a tool went to. */
export function releaseRole({ call }: CallEnd, { server }: NamedTool): ReleaseRole {
  const rollout = call.tenant.servers.find(({ slug }) => slug === server)?.rollout ?? undefined;
  if (rollout === undefined) return 'stable';
  return call.route.mounts.some(({ releaseId }) => releaseId === rollout.candidateId) ? 'candidate' : 'stable';
}

/** The tool that a call names, without the prefix that it has on the tenant's own URL. */
export function namedTool({ call, exchange }: Pick<CallEnd, 'call' | 'exchange'>): NamedTool | undefined {
  const { head } = exchange;
  if (head?.kind !== 'request' || head.method !== 'tools/call') return undefined;
  const subject = head.subject?.slice(0, TOOL_LENGTH_MAX) ?? '';
  const { serverSlug } = call.target;
  if (serverSlug !== undefined) return { server: serverSlug, name: subject };
  if (call.tool !== undefined) return { server: call.tool.serverSlug, name: call.tool.name };
  const server = call.tenant.servers.find(({ slug }) => subject.startsWith(`${slug}__`));
  return server === undefined
    ? { server: '', name: subject }
    : { server: server.slug, name: subject.slice(server.slug.length + 2) };
}
