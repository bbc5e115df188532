import type { StaleMark } from '#libs/protocol';
import { meter } from '#libs/telemetry';
import type { EgressAnswer, EgressRequest } from './egress-request.js';
import { answerPlace, LastAnswers, type AnswerPlace } from './last-answers.js';

type Fetched = Extract<EgressAnswer, { kind: 'fetched' }>;

/** Lets the last good answer of a read-only tool stand in for one that could not be had, where its tenant wants that. */
export class StaleAnswers {
  readonly #kept = new LastAnswers();
  readonly #served = meter('egress').createCounter('wharf_egress_stale_answers', {
    description: 'Answers from before that stood in for a failing upstream, by how it failed.',
  });

  /** What a request is answered with: what came, or in place of a failure the last good answer, marked as such. */
  settle(request: EgressRequest, answer: EgressAnswer): EgressAnswer {
    const reason = failureOf(answer);
    if (reason === undefined && !isGood(answer)) return answer;
    const ageMsMax = allowedAgeMs(request);
    if (ageMsMax === undefined) return answer;
    const place = placeOf(request);
    if (reason === undefined) {
      if (isGood(answer)) this.#kept.keep(place, answer);
      return answer;
    }
    const found = this.#kept.find(place, ageMsMax);
    if (found === undefined) return answer;
    this.#served.add(1, { reason });
    return { kind: 'fetched', ...found.answer, stale: { ageMs: found.ageMs, reason } };
  }

  /** Forgets a tenant's answers. */
  forget(tenantId: string): void {
    this.#kept.forget(tenantId);
  }
}

/** How the upstream failed, undefined where it did not or is not to blame. */
function failureOf(answer: EgressAnswer): StaleMark['reason'] | undefined {
  if (answer.kind === 'fetched') return answer.status >= 500 ? 'server_error' : undefined;
  switch (answer.reason) {
    case 'held':
      return 'open';
    case 'open':
    case 'timeout':
    case 'connect':
    case 'untrusted':
    case 'broken_off':
    case 'invalid_response':
      return answer.reason;
    case 'blocked':
    case 'no_credential':
    case 'busy':
    case 'aborted':
    case 'too_large':
      return undefined;
  }
}

/** An answer to keep; one that its upstream wants nobody to keep (RFC 9111, 5.2.2.5) is not. */
function isGood(answer: EgressAnswer): answer is Fetched {
  if (answer.kind !== 'fetched' || answer.status < 200 || answer.status > 299) return false;
  return !/(?:^|[\s,])no-store(?:$|[\s,;])/i.test(answer.headers['cache-control'] ?? '');
}

/** How old an answer may be: every server that the release is served as has to allow it, the strictest counts. */
function allowedAgeMs({ policy, tool, context, release, url }: EgressRequest): number | undefined {
  if (policy.findConnection(tool, URL.parse(url)?.origin ?? '') !== undefined) return undefined; // one person's alone
  const allowed = context.staleAnswers?.maxAgeSeconds;
  if (allowed === undefined || policy.findTool(tool)?.readOnly !== true) return undefined;
  const ages = release.servers.map((server) => (Object.hasOwn(allowed, server) ? (allowed[server] ?? 0) : 0));
  const strictest = Math.min(...ages);
  return ages.length > 0 && strictest > 0 ? strictest * 1_000 : undefined;
}

/** Everything that makes a request what it is, credentials included: another account's answers are other answers. */
function placeOf(request: EgressRequest): AnswerPlace {
  const { tenantId, release, policy, context, tool, method, url, headers, body } = request;
  const origin = URL.parse(url)?.origin ?? '';
  const credentials = policy
    .credentialsFor(tool, origin)
    .map(({ id, secret }) => [id, Object.hasOwn(context.secrets, secret) ? context.secrets[secret] : null]);
  const sorted = Object.entries(headers).sort(([left], [right]) => (left < right ? -1 : 1));
  return answerPlace(tenantId, context.staleAnswers?.key ?? '', [
    release.digest,
    tool,
    method,
    url,
    sorted,
    body.toString('base64'),
    credentials,
  ]);
}
