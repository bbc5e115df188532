import { createHash } from 'node:crypto';
import { NO_PERSON, type LoginWanted, type TokenAnswer } from '#libs/protocol';
import { UpstreamFailure } from '../upstream-failure.js';
import type { HopAnswer } from '../upstream-request.js';
import type { Send } from './grants.js';
import type { KeptPersonTokens } from './kept-person-tokens.js';

const CHALLENGE_MAX = 4_096;

/**
 * Sends a request with the token of the person who calls, where its release says that it acts with their own login. The
 * token is asked for with each request; it is never a secret of the tenant or another person's. What nobody waits for and
 * runs nothing has the one that its session was last used with (`KeptPersonTokens`).
 * One that the upstream refuses is renewed once; one that lacks a scope has its person asked for more (MCP 2025-11-25,
 * "Scope Challenge Handling").
 */
export function withPersonToken(kept: KeptPersonTokens, send: Send): Send {
  return async (request, hop, exchanging) => {
    const { origin } = hop.url;
    const connector = hop.trusted ? request.policy.findConnection(request.tool, origin) : undefined;
    if (connector === undefined) return send(request, hop, exchanging);
    const sendWith = (token: string): Promise<HopAnswer> => {
      exchanging.keepSecret(token);
      return send(request, { ...hop, headers: { ...hop.headers, authorization: `Bearer ${token}` } }, exchanging);
    };
    const last = kept.find(request, origin);
    if (last !== undefined) return sendWith(last);
    const { tokens = NO_PERSON } = request;
    const authorized = async (refused?: string) => {
      const ask = { connector, origin, ...(refused === undefined ? {} : { refused }) };
      const found = await untilAborted(tokens(ask), exchanging.signal);
      // Without a page nobody in person was asked, which says nothing about the one who was here before.
      if (found.kind === 'login' && found.login.url !== undefined) kept.drop(request, origin);
      const token = tokenIn(found);
      kept.keep(request, origin, token);
      return { token, answer: await sendWith(token) };
    };
    const first = await authorized();
    const refused = createHash('sha256').update(first.token).digest('base64url');
    const { answer } = first.answer.status === 401 ? await authorized(refused) : first;
    const lacking = lackingScope(answer);
    // A token in answer is that of a service that knows nothing of scopes: the upstream's answer stands.
    if (lacking !== undefined) tokenIn(await untilAborted(tokens({ connector, origin, lacking }), exchanging.signal));
    return answer;
  };
}

/** The scopes that an upstream says a token lacks (RFC 6750, 3.1); undefined where it does not say so. */
export function lackingScope({ status, headers }: Pick<HopAnswer, 'status' | 'headers'>): string | undefined {
  const challenge = headers['www-authenticate']?.slice(0, CHALLENGE_MAX);
  if (status !== 403 || challenge === undefined || !/\berror="?insufficient_scope\b/i.test(challenge)) return undefined;
  return /(?:^|[\s,])scope="([^"]{1,1000})"/i.exec(challenge)?.[1];
}

/** @throws UpstreamFailure no_credential, for nothing ran: not sent, or refused for what its token lacks */
function tokenIn(answer: TokenAnswer): string {
  switch (answer.kind) {
    case 'token':
      return answer.token;
    case 'login':
      throw new UpstreamFailure('no_credential', wantedOf(answer.login), {
        login: answer.login,
      });
    case 'failed':
      throw new UpstreamFailure('no_credential', answer.message);
  }
}

function wantedOf({ title, more }: LoginWanted): string {
  if (more === undefined) return `nobody is logged in at ${title} for this call`;
  return `who calls has not allowed ${more.join(' ')} at ${title}`;
}

/** What comes, or the reason why nobody waits any more. */
export function untilAborted<Value>(coming: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    coming.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
