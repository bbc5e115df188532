import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { meter } from '#libs/telemetry';
import type { Breakers } from '../breakers.js';
import { ServerError } from '../error-class.js';
import type { Dialer } from '../dialer.js';
import { answerPlace, LastAnswers, type AnswerPlace } from '../last-answers.js';
import { UpstreamFailure } from '../upstream-failure.js';
import { sendOnce, type HopAnswer } from '../upstream-request.js';
import { ASSERTION_TYPE, clientAssertion } from './client-assertion.js';
import type { TokenSource, TokenWish } from './grants.js';
import { untilAborted } from './person-token.js';

const ANSWER_BYTES_MAX = 64 * 1024;
const TOKEN_MS = 15_000;
const DEFAULT_SECONDS = 300;
const SECONDS_MAX = 24 * 3_600;
/** A token is not used in its last moments, which would end on the way. */
const MARGIN_MS = 30_000;
/** For a tenant that has no key yet, and so no secrets either. */
const OWN_KEY = randomBytes(32).toString('base64');
const BOUNDS = { answer: ANSWER_BYTES_MAX, tenant: 1024 * 1024, total: 16 * 1024 * 1024 };

/** What a token endpoint answers (RFC 6749, 5.1 and 5.2). */
const tokenSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,16384}$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.coerce.number().positive().max(Number.MAX_SAFE_INTEGER).optional(),
});
const refusalSchema = z.object({ error: z.string().regex(/^[\x20-\x7e]{1,64}$/) });

/**
 * Tokens by OAuth client credentials (RFC 6749, 4.4), fetched here, where no tenant's code is. They are kept in memory,
 * sealed under their tenant's own key and found by tenant, client, secret and everything else that was asked for.
 */
export class ClientCredentials implements TokenSource {
  readonly #dialer: Dialer;
  readonly #breakers: Breakers;
  readonly #kept = new LastAnswers(BOUNDS);
  readonly #fetching = new Map<string, Promise<string>>();
  readonly #requests = meter('egress').createCounter('wharf_egress_token_requests', {
    description: 'Tokens asked for with client credentials, by how that ended.',
  });

  constructor(dialer: Dialer, breakers: Breakers) {
    this.#dialer = dialer;
    this.#breakers = breakers;
  }

  async token(wish: TokenWish, signal: AbortSignal): Promise<string> {
    const place = placeOf(wish);
    const kept = this.#find(place);
    if (kept !== undefined) return kept;
    const fetching = this.#fetching.get(place.name) ?? this.#start(wish, place);
    return untilAborted(fetching, signal);
  }

  refused(wish: TokenWish, token: string): void {
    const place = placeOf(wish);
    if (this.#find(place) === token) this.#kept.keep(place, entry('', 0));
  }

  /** Forgets a tenant's tokens. */
  forget(tenantId: string): void {
    this.#kept.forget(tenantId);
  }

  #find(place: AnswerPlace): string | undefined {
    const found = this.#kept.find(place, SECONDS_MAX * 1_000)?.answer;
    if (found === undefined || Number(found.headers['until']) <= Date.now()) return undefined;
    return found.body.toString();
  }

  /** One request for all that wait; it goes on when one of them leaves. */
  #start(wish: TokenWish, place: AnswerPlace): Promise<string> {
    const fetching = this.#fetch(wish)
      .then(({ token, untilMs }) => {
        this.#kept.keep(place, entry(token, untilMs));
        this.#requests.add(1, { outcome: 'granted' });
        return token;
      })
      .catch((error: unknown) => {
        this.#requests.add(1, { outcome: error instanceof UpstreamFailure ? error.reason : 'failed' });
        throw error;
      })
      .finally(() => this.#fetching.delete(place.name));
    this.#fetching.set(place.name, fetching);
    return fetching;
  }

  async #fetch({ request, grant }: TokenWish): Promise<{ token: string; untilMs: number }> {
    const { tenantId, context } = request;
    const url = new URL(grant.tokenUrl);
    const agent = this.#dialer.agentFor(tenantId, context);
    let answer: HopAnswer | undefined;
    const sent = {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      ...(await formOf(grant, context)),
    };
    await this.#breakers
      .run({ tenantId, origin: url.origin }, async () => {
        answer = await sendOnce(agent, sent, ANSWER_BYTES_MAX, AbortSignal.timeout(TOKEN_MS));
        if (answer.status >= 500) throw new ServerError();
      })
      .catch((error: unknown) => {
        if (!(error instanceof ServerError)) throw tokenFailure(error);
      });
    return granted(answer);
  }
}

async function formOf(
  grant: TokenWish['grant'],
  { secrets }: TokenWish['request']['context'],
): Promise<{ readonly headers: Record<string, string>; readonly body: Buffer }> {
  const { clientId, secret, scope, resource, method } = grant;
  const value = Object.hasOwn(secrets, secret) ? secrets[secret] : undefined;
  if (value === undefined) {
    throw new UpstreamFailure(
      'no_credential',
      `The secret "${secret}" does not exist. The owner of this server creates it with PUT /v1/secrets/${secret}.`,
    );
  }
  const form = new URLSearchParams({ grant_type: 'client_credentials', resource });
  if (scope !== undefined) form.set('scope', scope);
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  if (method === 'private_key_jwt') {
    form.set('client_id', clientId);
    form.set('client_assertion_type', ASSERTION_TYPE);
    form.set('client_assertion', await clientAssertion(grant, value));
    return { headers, body: Buffer.from(form.toString()) };
  }
  if (method === 'post') {
    form.set('client_id', clientId);
    form.set('client_secret', value);
    return { headers, body: Buffer.from(form.toString()) };
  }
  const basic = Buffer.from(`${formEncoded(clientId)}:${formEncoded(value)}`).toString('base64');
  return { headers: { ...headers, authorization: `Basic ${basic}` }, body: Buffer.from(form.toString()) };
}

/** As RFC 6749, 2.3.1 wants the two halves of HTTP Basic. */
function formEncoded(text: string): string {
  return new URLSearchParams({ t: text }).toString().slice(2);
}

/** The token in an answer. Its text goes nowhere: it may repeat the client's secret. @throws UpstreamFailure */
function granted(answer: HopAnswer | undefined): { token: string; untilMs: number } {
  const parsed = tokenSchema.safeParse(jsonOf(answer));
  if (answer?.status === 200 && parsed.success) {
    const seconds = Math.min(parsed.data.expires_in ?? DEFAULT_SECONDS, SECONDS_MAX);
    const ms = seconds * 1_000;
    return { token: parsed.data.access_token, untilMs: Date.now() + Math.max(ms - MARGIN_MS, ms / 2) };
  }
  const refusal = refusalSchema.safeParse(jsonOf(answer));
  const why = refusal.success ? refusal.data.error : `status ${answer?.status ?? 'unknown'} without a bearer token`;
  throw new UpstreamFailure(
    'no_credential',
    `its authorization server granted no token (${why}). The owner of this server must check the client’s id, secret and scope.`,
  );
}

function jsonOf(answer: HopAnswer | undefined): unknown {
  try {
    return JSON.parse(answer?.body.toString() ?? '');
  } catch {
    return undefined;
  }
}

function tokenFailure(error: unknown): unknown {
  if (!(error instanceof UpstreamFailure) || error.reason === 'aborted') return error;
  const { reason, message, retryAtMs } = error;
  const detail = message === '' ? '' : `: ${message}`;
  const said = `its authorization server was not reached${detail}`;
  return new UpstreamFailure(reason, said, retryAtMs === undefined ? {} : { retryAtMs });
}

function placeOf({ request, grant }: TokenWish): AnswerPlace {
  const { tenantId, context } = request;
  const { tokenUrl, clientId, secret, scope, resource, method, audience } = grant;
  const value = Object.hasOwn(context.secrets, secret) ? context.secrets[secret] : undefined;
  return answerPlace(tenantId, context.tokenKey ?? OWN_KEY, [
    'token',
    tokenUrl,
    clientId,
    secret,
    value,
    scope,
    resource,
    method,
    audience,
  ]);
}

function entry(token: string, untilMs: number): HopAnswer {
  return { status: 200, headers: { until: String(untilMs) }, body: Buffer.from(token) };
}
