import { AppError } from '#libs/errors';
import type { AdmittedCall } from '../limits/admit.js';
import type { PlacedSession, Sessions } from './sessions.js';

/** Last stage before dispatch: the route is the session's own where there is one. */
export interface PlacedCall extends AdmittedCall {
  readonly session: SessionUse;
}

/** How a call relates to a session of the 2025 era. */
export type SessionUse =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'opens' } & PlacedSession)
  | ({ readonly kind: 'uses' } & PlacedSession);

/** Finds a call's session and pins the call to its route. @throws AppError session_required, session_not_found, unavailable */
export async function placeCall(call: AdmittedCall, sessions: Sessions): Promise<PlacedCall> {
  const { era, head, sessionId } = call.exchange;
  if (era === 'modern') return { ...call, session: { kind: 'none' } };
  if (sessionId === undefined) {
    const opens = call.target.transport === 'sse' || (head?.kind === 'request' && head.method === 'initialize');
    if (!opens) throw new AppError('session_required');
    return { ...call, session: { kind: 'opens', ...(await sessions.place(call, call.route)) } };
  }
  const { route, runtime } = await sessions.get(call, sessionId);
  return { ...call, route, session: { kind: 'uses', id: sessionId, runtime } };
}
