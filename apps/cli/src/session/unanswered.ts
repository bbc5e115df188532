const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at that host and port',
  ENOTFOUND: 'no host of that name is known',
  EAI_AGAIN: 'the name of the host could not be looked up just now',
  ECONNRESET: 'the connection was cut before the answer',
  UND_ERR_SOCKET: 'the connection was cut before the answer',
  'bad port': 'that port belongs to another protocol, and no HTTP client asks it; give the installation’s own port',
};
const CAUSES_MAX = 5;

/** Whether a request of ours came to no answer, rather than to one that refuses. */
export function isUnanswered(error: Error): boolean {
  return failureOfFetch(error) !== undefined;
}

/** Why nothing answered, in words for whoever gave the URL. */
export function whyUnanswered(error: Error): string {
  const reason = failureOfFetch(error) ?? error;
  if (reason.name === 'TimeoutError') return 'no answer came in time';
  const code = 'code' in reason ? String(reason.code) : reason.message;
  return REASONS[code] ?? reason.message;
}

/** What `fetch` says went wrong, wherever in the chain of causes it stands: clients wrap it in errors of their own. */
function failureOfFetch(error: Error): Error | undefined {
  let each: unknown = error;
  for (let depth = 0; each instanceof Error && depth < CAUSES_MAX; depth += 1, each = each.cause) {
    if (each.name === 'TimeoutError') return each;
    if (each instanceof TypeError && each.cause instanceof Error) return each.cause;
  }
  return undefined;
}
