import { OpenIdFailure } from '#libs/openid';

/** Whether an error, or what it wraps, says that the provider cannot be reached or used. */
export function isAway(error: unknown): boolean {
  if (error instanceof OpenIdFailure) return true;
  return error instanceof Error && error.cause !== undefined && isAway(error.cause);
}

/** Whether an error is the OpenID library's judgement of what the provider sent. */
export function isAnswerOfProvider(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && code.startsWith('OAUTH_');
}

/** What went wrong, without what the provider said about anybody: the library's innermost sentence, and an OAuth error. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason was given';
  if (error instanceof OpenIdFailure) return error.message;
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code: unknown = Reflect.get(error, 'error');
  return typeof code === 'string' ? `${error.message}: ${code.slice(0, 100)}` : error.message;
}
