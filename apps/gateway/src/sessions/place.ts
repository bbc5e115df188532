import { AppError } from '#libs/errors';
import type { AdmittedCall } from '../limits/admit.js';
import { isWithdrawn, type RouteTable } from '../routing/route-table.js';
import { SessionDirectory } from './session-directory.js';

/** Last stage before dispatch: the route is the session's own where there is one. */
export interface PlacedCall extends AdmittedCall {
  readonly session: SessionUse;
}

/** How a call relates to a session of the 2025 era. */
export type SessionUse =
  | { readonly kind: 'none' }
  | { readonly kind: 'opens'; readonly id: string }
  | { readonly kind: 'uses'; readonly id: string };

/**
 * Finds a call's session and pins the call to its route; a call without one, and a session that opens, get the releases
 * they are to stay on. A session on a release that was withdrawn has ended, as its next request or stream is told. @throws AppError session_required, session_not_found, unavailable
 */
export async function placeCall(
  call: AdmittedCall,
  directory: SessionDirectory,
  routes: Pick<RouteTable, 'choose'>,
): Promise<PlacedCall> {
  const { era, head, sessionId } = call.exchange;
  if (era === 'modern')
    return { ...call, route: routes.choose(call, call.principalBinding), session: { kind: 'none' } };
  if (sessionId === undefined) {
    if (head?.kind !== 'request' || head.method !== 'initialize') throw new AppError('session_required');
    const id = SessionDirectory.newSessionId();
    return { ...call, route: routes.choose(call, id), session: { kind: 'opens', id } };
  }
  const session = await directory.getSession(sessionId, {
    tenantId: call.tenant.tenantId,
    resource: call.target.resource,
    principalBinding: call.principalBinding,
  });
  if (hearsOfTheEnd(call) && isWithdrawn(call.tenant, call.route, session.route)) {
    await directory.end(sessionId, session);
    throw new AppError('session_not_found');
  }
  return { ...call, route: session.route, session: { kind: 'uses', id: sessionId } };
}

/** Whether a client can do something about the end of its session: one that only says it is initialized cannot. */
function hearsOfTheEnd({ exchange }: AdmittedCall): boolean {
  return exchange.operation === 'listen' || exchange.head?.kind === 'request';
}
