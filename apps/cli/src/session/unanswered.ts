const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at that host and port',
  ENOTFOUND: 'no host of that name is known',
  EAI_AGAIN: 'the name of the host could not be looked up just now',
  ECONNRESET: 'the connection was cut before the answer',
  'bad port': 'that port belongs to another protocol, and no HTTP client asks it; give the installation’s own port',
};

/** Whether a request of ours came to no answer, rather than to one that refuses. */
export function isUnanswered(error: Error): boolean {
  return error.name === 'TimeoutError' || (error instanceof TypeError && error.cause instanceof Error);
}

/** Why nothing answered, in words for whoever gave the URL. */
export function whyUnanswered(error: Error): string {
  if (error.name === 'TimeoutError') return 'no answer came in time';
  const reason = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in reason ? String(reason.code) : reason.message;
  return REASONS[code] ?? reason.message;
}
