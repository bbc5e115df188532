import { AppError, ERROR_CATALOGUE } from '#libs/errors';
import { tenantOfApiKey } from '#libs/identity';
import { credentialOf } from '../credentials/credential.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { isPlatformPermission } from './permissions.js';

const KINDS = [
  [/^whk_/, 'api key'],
  [/^who[sk]?_/, 'operator'],
  [/^whi_/, 'look'],
  [/^wcs_/, 'client secret'],
  [/^[\w-]+\.[\w-]+\.[\w-]+$/, 'access token'],
] as const;

type Kind = (typeof KINDS)[number][1] | 'unknown';

/**
 * The same refusal with what to do next. It is told by the form of what was sent and by nothing that is kept: a key that was
 * revoked, that has expired and that never was read alike.
 */
export function withNextStep(error: AppError, request: ManagedRequest): AppError {
  if (error.code !== 'unauthenticated' || error.message !== ERROR_CATALOGUE.unauthenticated.title) return error;
  const text = credentialOf(request);
  const wants = request.permission !== undefined && isPlatformPermission(request.permission) ? 'operator' : 'tenant';
  const message =
    text === undefined ? missing(request, wants) : wants === 'tenant' ? atTenants(text) : atOperators(text);
  return new AppError('unauthenticated', { message, cause: error });
}

function missing({ headers }: ManagedRequest, wants: 'tenant' | 'operator'): string {
  const what = wants === 'tenant' ? 'an API key or access token' : 'an operator’s session or key';
  const also = wants === 'tenant' ? ', or an API key as `X-API-Key: …`' : '';
  const found =
    headers.authorization === undefined ? 'No credentials were sent.' : 'The Authorization header names none of ours.';
  return `${found} Send ${what} as \`Authorization: Bearer …\`${also}.`;
}

function atTenants(text: string): string {
  switch (kindOf(text)) {
    case 'api key':
      return tenantOfApiKey(text) === undefined
        ? 'This is not a whole API key. Copy it again: `whk_` and 65 characters.'
        : 'This API key is not accepted: it may have been revoked or have expired. Who still has access makes another with POST /v1/api-keys.';
    case 'access token':
      return 'This access token is not accepted: it may have expired, been revoked, or be for another URL. Get another for `resource={public URL}/v1/tenants/{slug}` with `scope=management`, as `wharf login` does.';
    case 'operator':
      return 'An operator’s credentials open /admin/v1 and no tenant. Send an API key or access token of the tenant.';
    case 'look':
      return 'This token of an operator’s look is not accepted: it may have ended or been revoked. Begin another look.';
    case 'client secret':
      return 'A client’s secret opens nothing here. Get an access token with it first, from the token endpoint.';
    case 'unknown':
      return 'This is no credential of this API. Send an API key (`whk_…`) or an access token.';
  }
}

function atOperators(text: string): string {
  if (kindOf(text) !== 'operator') {
    return 'This opens nothing for operators. Send an operator’s session (`whos_…`) or key (`whok_…`).';
  }
  return 'This operator’s credential is not accepted: it may have been revoked, have expired, or its account be disabled. Sign in again.';
}

function kindOf(text: string): Kind {
  return KINDS.find(([form]) => form.test(text))?.[1] ?? 'unknown';
}
