import { errors, type Configuration } from 'oidc-provider';
import type { Secret } from '#libs/config';
import { CLIENT_SIGNING_ALGORITHMS, DPOP_ALGORITHMS } from '#libs/identity';
import { deriveKey } from '#libs/secrets';
import { mayIntrospect, mayRevoke } from '../issued-tokens/token-policies.js';
import { MACHINE_SCOPES } from './tenant-clients.js';

const CONFIDENTIAL_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;
/** An assertion that lives longer was not made for this request (RFC 7523 §3, point 4). */
const ASSERTION_SECONDS_MAX = 60 * 60;

type Features = NonNullable<Configuration['features']>;

/** What the provider offers to clients beside the sign-in of people. */
export function clientFeatures(masterKey: Secret): Features {
  return {
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true, nonceSecret: deriveKey(masterKey, 'dpop-nonces') },
    introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => mayIntrospect(client, token) },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => mayRevoke(client, token) },
  };
}

/** How clients authenticate, and what the metadata says of it. */
export const CLIENT_OFFER = {
  clientAuthMethods: ['none', ...CONFIDENTIAL_METHODS],
  extraClientMetadata: { properties: [MACHINE_SCOPES] },
  assertJwtClientAuthClaimsAndHeader(_ctx, claims) {
    if (Number(claims['exp']) <= Date.now() / 1_000 + ASSERTION_SECONDS_MAX) return;
    throw new errors.InvalidClientAuth('exp is too far away');
  },
  discovery: {
    introspection_endpoint_auth_methods_supported: CONFIDENTIAL_METHODS,
    introspection_endpoint_auth_signing_alg_values_supported: CLIENT_SIGNING_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: ['none', ...CONFIDENTIAL_METHODS],
    revocation_endpoint_auth_signing_alg_values_supported: CLIENT_SIGNING_ALGORITHMS,
  },
} satisfies Configuration;

/** The algorithms that clients sign with; `none` and shared keys are not among them. */
export const CLIENT_ALGORITHMS = {
  clientAuthSigningAlgValues: CLIENT_SIGNING_ALGORITHMS,
  dPoPSigningAlgValues: DPOP_ALGORITHMS,
};
