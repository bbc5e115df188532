import { setTimeout as wait } from 'node:timers/promises';
import { ConfigError } from '#libs/config';
import { fetchPlain } from '#libs/http';

const ATTEMPTS = 4;
const ATTEMPT_MS = 5_000;
const FIRST_WAIT_MS = 200;
const ANSWER_BYTES_MAX = 64 * 1024;

/** What a keeper answered: JSON, or undefined where it was none. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Asks a keeper of keys, again where it is away, overloaded or failing: four attempts of five seconds at most, with a
 * growing random wait between. The last answer is given whatever it is.
 * @throws ConfigError where it never answered
 */
export async function ask(who: string, send: () => Promise<Request>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await askOnce(await send());
      if (attempt >= ATTEMPTS || !mayEndBetter(answer)) return answer;
    } catch (error) {
      if (attempt >= ATTEMPTS) throw notReached(who, error);
    }
    await wait(FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
  }
}

async function askOnce(request: Request): Promise<Answer> {
  const { status, body } = await fetchPlain((plain) => {
    request.headers.set('accept-encoding', plain['accept-encoding']);
    return fetch(request, { redirect: 'error', signal: AbortSignal.timeout(ATTEMPT_MS) });
  }, ANSWER_BYTES_MAX);
  return { status, body: jsonOf(body.toString()) };
}

function mayEndBetter({ status, body }: Answer): boolean {
  return status >= 500 || status === 429 || /Throttling|LimitExceeded|Unavailable/.test(JSON.stringify(body ?? ''));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notReached(who: string, error: unknown): ConfigError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConfigError(`${who} does not answer (${why}). Correct its address, or see to it that it is reached.`, {
    cause: error,
  });
}
