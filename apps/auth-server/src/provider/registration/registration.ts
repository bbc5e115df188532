import { AppError } from '#libs/errors';
import { parseJson } from '#libs/http';
import { applicationTypeOf, REDIRECT_URI_LENGTH_MAX, redirectUriProblem } from '#libs/identity';
import { z } from 'zod';
import { DEVICE_CODE } from '../../device/device-flow.js';
import { JWT_BEARER } from '../../federation/grant-type.js';
import { TOKEN_EXCHANGE } from '../../exchange/grant-type.js';

/** Control, zero-width and direction-changing characters, with which a name could look like another. */
// oxlint-disable-next-line no-control-regex -- these are the characters that are refused
const DECEPTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

const redirectUri = z
  .string()
  .max(REDIRECT_URI_LENGTH_MAX)
  .superRefine((uri, context) => {
    const problem = redirectUriProblem(uri);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

/** How clients get tokens, as they may register for it; the last three need no browser of their own to come back to. */
const GRANT_TYPES = new Set(['authorization_code', 'refresh_token', DEVICE_CODE, TOKEN_EXCHANGE, JWT_BEARER]);

const metadataSchema = z.object({
  redirect_uris: z.array(redirectUri).max(10).default([]),
  client_name: z
    .string()
    .max(100)
    .refine(
      (name) => name.isWellFormed() && !DECEPTIVE.test(name),
      'must not contain control or direction-changing characters',
    )
    .optional(),
  token_endpoint_auth_method: z.enum(['none', 'client_secret_basic', 'client_secret_post']).optional(),
  grant_types: z
    .array(z.string().max(100))
    .max(10)
    .transform((types) => types.filter((type) => GRANT_TYPES.has(type)))
    .refine(
      (types) => types.some((type) => type !== 'refresh_token'),
      `must include one of ${[...GRANT_TYPES].join(', ')}`,
    )
    .optional(),
  application_type: z.enum(['native', 'web']).optional(),
  response_types: z
    .array(z.string().max(100))
    .max(10)
    .transform((types) => types.filter((type) => type === 'code'))
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
 * loaded. A client with a loopback or own-scheme redirect, or on devices, is native, whatever it
 * says (RFC 8252): its consent is never remembered, for anybody can claim to be it.
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
  if (parsed.success) return accepted(parsed.data);
  const issue = parsed.error.issues[0];
  return {
    kind: 'refused',
    error: issue?.path[0] === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata',
    description: `${issue?.path.join('.') || 'the request body'}: ${issue?.message ?? 'not valid'}`,
  };
}

/** OpenID Connect Dynamic Client Registration 1.0 §2, and MCP 2026-07-28 on `application_type`. */
const WEB_REDIRECTS =
  'redirect_uris: https only for application_type web; register as native for loopback or a scheme of your own';

/** A client with redirects gets codes at them; one without can only use grants that need none. */
function accepted(metadata: z.infer<typeof metadataSchema>): Registration {
  const codes = metadata.grant_types?.includes('authorization_code') ?? true;
  if (codes && metadata.redirect_uris.length === 0) {
    const description = 'redirect_uris: one at least, for a client that uses authorization_code';
    return { kind: 'refused', error: 'invalid_redirect_uri', description };
  }
  if (codes && metadata.response_types?.length === 0) {
    return { kind: 'refused', error: 'invalid_client_metadata', description: 'response_types: must include code' };
  }
  if (metadata.application_type === 'web' && applicationTypeOf(metadata.redirect_uris) === 'native') {
    return { kind: 'refused', error: 'invalid_redirect_uri', description: WEB_REDIRECTS };
  }
  const kept = codes ? metadata : { ...metadata, redirect_uris: [], response_types: [] };
  return { kind: 'accepted', metadata: withApplicationType(kept) };
}

const documentSchema = metadataSchema.extend({
  client_id: z.string(),
  client_name: metadataSchema.shape.client_name.unwrap(),
  token_endpoint_auth_method: z.literal('none').default('none'),
  client_secret: z.never().optional(),
  client_secret_expires_at: z.never().optional(),
  redirect_uris: z.array(redirectUri).min(1).max(10),
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

function withApplicationType<Metadata extends { redirect_uris: string[]; grant_types?: string[] | undefined }>(
  metadata: Metadata,
) {
  const onDevices = metadata.grant_types?.includes(DEVICE_CODE) === true;
  return { ...metadata, application_type: onDevices ? 'native' : applicationTypeOf(metadata.redirect_uris) };
}
