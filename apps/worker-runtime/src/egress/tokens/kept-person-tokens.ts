import { randomBytes } from 'node:crypto';
import type { EgressRequest } from '../egress-request.js';
import { answerPlace, LastAnswers, type AnswerPlace } from '../last-answers.js';

const BOUNDS = { answer: 32 * 1024, tenant: 4 * 1024 * 1024, total: 32 * 1024 * 1024 };
const KEPT_MS = 3_600_000;
/** For a tenant that has no key yet. */
const OWN_KEY = randomBytes(32).toString('base64');
/** A message that runs nothing is short, but for an answer to what an upstream has asked. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/**
 * The token that each session with an upstream was last used with, for what no exchange waits for and what runs nothing:
 * the word that a call is cancelled, an answer to the upstream, the end of the session. In memory only, sealed under a
 * key of its tenant, for an hour at most.
 */
export class KeptPersonTokens {
  readonly #kept = new LastAnswers(BOUNDS);

  /** Keeps the token that a request of a session is sent with. */
  keep(request: EgressRequest, origin: string, token: string): void {
    const place = placeOf(request, origin);
    if (place !== undefined) this.#kept.keep(place, { status: 200, headers: {}, body: Buffer.from(token) });
  }

  /** The token of the session that a request is of, where nobody waits for it and it runs nothing. */
  find(request: EgressRequest, origin: string): string | undefined {
    if (request.session?.isAside !== true || !runsNothing(request)) return undefined;
    const place = placeOf(request, origin);
    return place && this.#kept.find(place, KEPT_MS)?.answer.body.toString();
  }

  /** Forgets the token of a session whose person is not logged in any more. */
  drop(request: EgressRequest, origin: string): void {
    const place = placeOf(request, origin);
    if (place !== undefined) this.#kept.drop(place);
  }

  /** Forgets a tenant's tokens. */
  forget(tenantId: string): void {
    this.#kept.forget(tenantId);
  }
}

function placeOf(
  { tenantId, context, session, tool, release }: EgressRequest,
  origin: string,
): AnswerPlace | undefined {
  if (session === undefined) return undefined;
  const named = ['person', session.name, release.digest, tool, origin];
  return answerPlace(tenantId, context.tokenKey ?? OWN_KEY, named);
}

/** The end of a session or of a task, a notification, or an answer (MCP 2025-11-25, transports): nothing else that is a request. */
function runsNothing({ method, body }: EgressRequest): boolean {
  if (method === 'DELETE') return true;
  if (method !== 'POST' || body.length > MESSAGE_BYTES_MAX) return false;
  try {
    const message: unknown = JSON.parse(body.toString());
    if (typeof message !== 'object' || message === null || Array.isArray(message)) return false;
    return !('method' in message && 'id' in message) || message.method === 'tasks/cancel';
  } catch {
    return false;
  }
}
