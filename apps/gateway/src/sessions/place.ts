import { randomUUID } from 'node:crypto';
import { AppError } from '#libs/errors';
import type { PersonTokens } from '#libs/protocol';
import type { MountedTool } from '../routing/route-tools.js';
import { withoutServers } from '../access/server-people.js';
import type { AdmittedCall } from '../limits/admit.js';
import { isWithdrawn, type RouteTable } from '../routing/route-table.js';
import type { PlacedSession, Sessions } from './sessions.js';

/** Last stage before dispatch: the route is the session's own where there is one. */
export interface PlacedCall extends AdmittedCall {
  readonly session: SessionUse;
  /** The tool that it calls, where it calls one that is there. */
  readonly tool?: MountedTool;
  /** Id of the approval that was used up for it. */
  readonly approval?: string;
  /** Answers with tokens of the person who calls; undefined where no person does. */
  readonly tokens?: PersonTokens | undefined;
}

/** How a call relates to a session of the 2025 era. */
export type SessionUse =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'opens' } & PlacedSession)
  | ({ readonly kind: 'uses' } & PlacedSession);

/**
 * Finds a call's session and pins the call to its route; a call without one, and a session that opens, get the releases
 * they are to stay on. A session on a release that was withdrawn has ended, as its next request or stream is told.
 * @throws AppError session_required, session_not_found, unavailable
 */
export async function placeCall(
  call: AdmittedCall,
  sessions: Sessions,
  routes: Pick<RouteTable, 'choose'>,
): Promise<PlacedCall> {
  const { era, head, sessionId } = call.exchange;
  if (era === 'modern')
    return {
      ...call,
      route: withoutServers(routes.choose(call, call.principalBinding), call.closedServers),
      session: { kind: 'none' },
    };
  if (sessionId === undefined) {
    const opens = call.target.transport === 'sse' || (head?.kind === 'request' && head.method === 'initialize');
    if (!opens) throw new AppError('session_required');
    // Chosen before there is an id, for the id names what was chosen; the session stays with it.
    const route = withoutServers(routes.choose(call, randomUUID()), call.closedServers);
    return { ...call, route, session: { kind: 'opens', ...(await sessions.place(call, route)) } };
  }
  const session = await sessions.get(call, sessionId);
  const { route, runtime } = session;
  // What a profile takes away is gone at once, so that its sessions end when it changes.
  if (route.view !== call.route.view) {
    await sessions.end(sessionId, session);
    throw new AppError('session_not_found');
  }
  // A session from before a server was closed to its person ends; the next one is without that server.
  if (route.mounts.some(({ serverSlug }) => call.closedServers.has(serverSlug))) {
    throw new AppError('session_not_found');
  }
  if (hearsOfTheEnd(call) && isWithdrawn(call.tenant, call.route, route)) {
    await sessions.end(sessionId, session);
    throw new AppError('session_not_found');
  }
  return { ...call, route, session: { kind: 'uses', id: sessionId, runtime } };
}

/** Whether a client can do something about the end of its session: one that only says it is initialized cannot. */
function hearsOfTheEnd({ exchange }: AdmittedCall): boolean {
  return exchange.operation === 'listen' || exchange.head?.kind === 'request';
}
