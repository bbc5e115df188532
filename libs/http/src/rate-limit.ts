import type { AppError } from '#libs/errors';

/** When to come again, and which limit is full (draft-ietf-httpapi-ratelimit-headers-10 §3 and §4): as far as the error knows. */
export function waitHeaders({ limit, retryAfterSeconds }: AppError): Record<string, string> {
  const retryAfter: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  if (limit === undefined) return retryAfter;
  const { name, quota, windowSeconds } = limit;
  const per = windowSeconds === undefined ? 'qu="concurrent-requests"' : `w=${windowSeconds}`;
  return {
    ...retryAfter,
    ...(quota === undefined ? {} : { 'ratelimit-policy': `"${name}";q=${quota};${per}` }),
    ratelimit: `"${name}";r=0;t=${retryAfterSeconds ?? 1}`,
  };
}
