import { AppError } from '#libs/errors';
import { parseJson } from '#libs/http';
import { z } from 'zod';

const URI_LENGTH_MAX = 2_048;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** RFC 8252 §7.1: a scheme of one's own is a domain name in reverse. */
const OWN_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;
/** What a client may register for; anything else it names is left out. */
const GRANT_TYPES = new Set(['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer']);
/** Control, zero-width and direction-changing characters, with which a name could look like another. */
// oxlint-disable-next-line no-control-regex -- these are the characters that are refused
const DECEPTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

function redirectProblem(uri: string): string | undefined {
  if (!URL.canParse(uri)) return 'is not an absolute URI';
  const { protocol, hostname, username, password } = new URL(uri);
  if (uri.includes('#')) return 'must not have a fragment';
  if (username !== '' || password !== '') return 'must not contain credentials';
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname)) || OWN_SCHEME.test(protocol)) return;
  return 'must be https, http on a loopback address, or a scheme of the app’s own (a domain name in reverse)';
}

const redirectUri = z
  .string()
  .max(URI_LENGTH_MAX)
  .superRefine((uri, context) => {
    const problem = redirectProblem(uri);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

const metadataSchema = z.object({
  redirect_uris: z.array(redirectUri).min(1).max(10),
  client_name: z
    .string()
    .max(100)
    .refine((name) => !DECEPTIVE.test(name), 'must not contain control or direction-changing characters')
    .optional(),
  token_endpoint_auth_method: z.enum(['none', 'client_secret_basic', 'client_secret_post']).optional(),
  grant_types: z
    .array(z.string().max(100))
    .max(10)
    .transform((types) => types.filter((type) => GRANT_TYPES.has(type)))
    .refine((types) => types.includes('authorization_code'), 'must include authorization_code')
    .optional(),
  response_types: z
    .array(z.string().max(100))
    .max(10)
    .refine((types) => types.includes('code'), 'must include code')
    .transform(() => ['code'])
    .optional(),
});

/** A registration request's metadata as we take it, or why not (RFC 7591 §3.2.2). */
export type Registration =
  | { readonly kind: 'accepted'; readonly metadata: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'refused';
      readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata';
      readonly description: string;
    };

/**
 * Parses a registration request. Metadata we do not use is ignored (RFC 7591 §2), most of it for good: a logo is never
 * loaded. A client with a loopback or own-scheme redirect is native, whatever it says (RFC 8252).
 */
export function parseRegistration(body: Buffer): Registration {
  let value: unknown;
  try {
    value = parseJson(body, { depthMax: 8, keysMax: 1_000 });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: 'refused', error: 'invalid_client_metadata', description: error.message };
  }
  const parsed = metadataSchema.safeParse(value);
  if (parsed.success) return { kind: 'accepted', metadata: withApplicationType(parsed.data) };
  const issue = parsed.error.issues[0];
  return {
    kind: 'refused',
    error: issue?.path[0] === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata',
    description: `${issue?.path.join('.') || 'the request body'}: ${issue?.message ?? 'not valid'}`,
  };
}

const documentSchema = metadataSchema.extend({
  client_id: z.string(),
  client_name: metadataSchema.shape.client_name.unwrap(),
  token_endpoint_auth_method: z.literal('none').default('none'),
  client_secret: z.never().optional(),
  client_secret_expires_at: z.never().optional(),
});

/**
 * The metadata in a client's metadata document (draft-ietf-oauth-client-id-metadata-document §4): it must name its own
 * URL as `client_id`, have a name, and can have no secret.
 * @throws ZodError or AppError for any other document
 */
export function parseClientDocument(url: string, body: Buffer): Readonly<Record<string, unknown>> {
  const document = documentSchema.parse(parseJson(body, { depthMax: 8, keysMax: 1_000 }));
  if (document.client_id !== url) throw new AppError('invalid_request', { message: 'client_id is not the URL itself' });
  return withApplicationType(document);
}

function withApplicationType<Metadata extends { redirect_uris: string[] }>(metadata: Metadata) {
  const native = metadata.redirect_uris.some((uri) => !uri.startsWith('https:'));
  return { ...metadata, application_type: native ? 'native' : 'web' };
}
