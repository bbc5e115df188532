import type { Grant } from '#libs/protocol';
import type { EgressRequest } from '../egress-request.js';
import type { Hop } from '../redirects.js';
import type { HopAnswer } from '../upstream-request.js';

/** How long an exchange may last, and what is taken out of what its upstream answers. */
export interface Exchanging {
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  /** Also takes this value out of the answer. */
  readonly keepSecret: (value: string) => void;
}

/** Whose credential is wanted, and what for. */
export interface TokenWish {
  readonly request: Pick<EgressRequest, 'tenantId' | 'context'>;
  readonly grant: Grant;
}

/**
 * Obtains what a request to an upstream carries as `Authorization: Bearer` by a release's own client credentials. The
 * other kind is a person's own login (`withPersonToken`).
 */
export interface TokenSource {
  /** A token that is good now. @throws UpstreamFailure */
  token(wish: TokenWish, signal: AbortSignal): Promise<string>;
  /** The upstream does not take a token: the next one is a new one. */
  refused(wish: TokenWish, token: string): void;
}

/** Sends one hop's request. */
export type Send = (request: EgressRequest, hop: Hop, exchanging: Exchanging) => Promise<HopAnswer>;

/** Sends a request with the token that its release grants it; one that is refused is obtained once more. */
export function withToken(tokens: TokenSource, send: Send): Send {
  return async (request, hop, exchanging) => {
    const grant = hop.trusted ? request.policy.findGrant(request.tool, hop.url.origin) : undefined;
    if (grant === undefined) return send(request, hop, exchanging);
    const wish = { request, grant };
    const authorized = async (): Promise<[string, HopAnswer]> => {
      const token = await tokens.token(wish, exchanging.signal);
      exchanging.keepSecret(token);
      const headers = { ...hop.headers, authorization: `Bearer ${token}` };
      return [token, await send(request, { ...hop, headers }, exchanging)];
    };
    const [token, answer] = await authorized();
    if (answer.status !== 401) return answer;
    tokens.refused(wish, token);
    return (await authorized())[1];
  };
}
