import { setTimeout as wait } from 'node:timers/promises';
import { fetchPlain } from '#libs/http';
import { AwsCredentialsError } from '../aws-credentials.js';

const ATTEMPTS = 3;
const FIRST_WAIT_MS = 100;
const ANSWER_BYTES_MAX = 64 * 1024;

/** What an endpoint for credentials answered. */
export interface EndpointAnswer {
  readonly status: number;
  readonly text: string;
}

/** An endpoint, as operators know it, and how long one attempt may take. */
export interface Endpoint {
  readonly name: string;
  readonly attemptMs: number;
}

/**
 * Asks an endpoint for credentials, again where it is away, overloaded or failing: three attempts. A redirect is not
 * followed, since what is sent may be a token. @throws AwsCredentialsError where it never answered
 */
export async function askEndpoint(endpoint: Endpoint, url: URL, init: RequestInit): Promise<EndpointAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await askOnce(endpoint, url, init);
      if (attempt === ATTEMPTS || (answer.status < 500 && answer.status !== 429)) return answer;
    } catch (error) {
      if (attempt === ATTEMPTS) throw away(endpoint, error);
    }
    await wait(FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random()));
  }
}

async function askOnce({ attemptMs }: Endpoint, url: URL, init: RequestInit): Promise<EndpointAnswer> {
  const { status, body } = await fetchPlain((plain) => {
    const headers = new Headers(init.headers);
    headers.set('accept-encoding', plain['accept-encoding']);
    return fetch(url, { ...init, headers, redirect: 'error', signal: AbortSignal.timeout(attemptMs) });
  }, ANSWER_BYTES_MAX);
  return { status, text: body.toString() };
}

function away({ name }: Endpoint, error: unknown): AwsCredentialsError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AwsCredentialsError('unavailable', `${name} does not answer (${why}).`, error);
}
