import type { Request } from 'express';
import { AppError } from '#libs/errors';

/** The strategies' names. */
export const API_KEY = 'api-key';
export const ACCESS_TOKEN = 'access-token';
export const OPERATOR_KEY = 'operator-key';
export const IMPERSONATION = 'impersonation';

const QUERY_NAMES = ['access_token', 'token', 'api_key', 'apikey', 'key', 'x-api-key', 'authorization'];
const BEARER = /^Bearer +([\x21-\x7e]{1,8192})$/i;

/** Refuses credentials in a URL, where logs and histories keep them (OAuth 2.1 §5.1). @throws AppError `invalid_request` */
export function refuseQueryCredentials(request: Request): void {
  if (Object.keys(request.query).some((name) => QUERY_NAMES.includes(name.toLowerCase()))) {
    throw new AppError('invalid_request', {
      message:
        'Credentials do not belong in a URL. Send them in the Authorization header, and replace them: URLs are logged.',
    });
  }
}

/**
 * The one credential of a request, from `Authorization: Bearer` or `X-API-Key`.
 * @throws AppError `invalid_request` when it carries two.
 */
export function credentialOf(request: Request): string | undefined {
  const bearer = BEARER.exec(request.headers.authorization ?? '')?.[1];
  const header = request.headers['x-api-key'];
  if (request.headers.authorization !== undefined && header !== undefined) {
    throw new AppError('invalid_request', { message: 'Send one credential: either Authorization or X-API-Key.' });
  }
  return typeof header === 'string' ? header : bearer;
}
