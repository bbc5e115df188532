import { createHash } from 'node:crypto';
import { NO_PERSON, type TokenAnswer } from '#libs/protocol';
import { UpstreamFailure } from '../upstream-failure.js';
import type { Send } from './grants.js';

/**
 * Sends a request with the token of the person who calls, where its release says that it acts with their own login. The
 * token is asked for with each request and kept by nobody here; it is never a secret of the tenant or another person's.
 * One that the upstream refuses is renewed once.
 */
export function withPersonToken(send: Send): Send {
  return async (request, hop, exchanging) => {
    const { origin } = hop.url;
    const connector = hop.trusted ? request.policy.findConnection(request.tool, origin) : undefined;
    if (connector === undefined) return send(request, hop, exchanging);
    const { tokens = NO_PERSON } = request;
    const authorized = async (refused?: string) => {
      const ask = { connector, origin, ...(refused === undefined ? {} : { refused }) };
      const token = tokenIn(await untilAborted(tokens(ask), exchanging.signal));
      exchanging.keepSecret(token);
      const headers = { ...hop.headers, authorization: `Bearer ${token}` };
      return { token, answer: await send(request, { ...hop, headers }, exchanging) };
    };
    const { token, answer } = await authorized();
    if (answer.status !== 401) return answer;
    return (await authorized(createHash('sha256').update(token).digest('base64url'))).answer;
  };
}

/** @throws UpstreamFailure blocked, for nothing was sent */
function tokenIn(answer: TokenAnswer): string {
  switch (answer.kind) {
    case 'token':
      return answer.token;
    case 'login':
      throw new UpstreamFailure('blocked', `nobody is logged in at ${answer.login.title} for this call`, {
        login: answer.login,
      });
    case 'failed':
      throw new UpstreamFailure('blocked', answer.message);
  }
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
