import { AppError } from '#libs/errors';
import type { AdmittedCall } from '../limits/admit.js';
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

/** Finds a call's session and pins the call to its route. @throws AppError session_required, session_not_found, unavailable */
export async function placeCall(call: AdmittedCall, directory: SessionDirectory): Promise<PlacedCall> {
  const { era, head, sessionId } = call.exchange;
  if (era === 'modern') return { ...call, session: { kind: 'none' } };
  if (sessionId === undefined) {
    if (head?.kind !== 'request' || head.method !== 'initialize') throw new AppError('session_required');
    return { ...call, session: { kind: 'opens', id: SessionDirectory.newSessionId() } };
  }
  const session = await directory.getSession(sessionId, {
    tenantId: call.tenant.tenantId,
    resource: call.target.resource,
    principalBinding: call.principalBinding,
  });
  // A session from before a server was closed to its person ends; the next one is without that server.
  if (session.route.mounts.some(({ serverSlug }) => call.closedServers.has(serverSlug))) {
    throw new AppError('session_not_found');
  }
  return { ...call, route: session.route, session: { kind: 'uses', id: sessionId } };
}
