export { hashApiKey, mintApiKey, tenantOfApiKey, type NewApiKey } from './api-key.js';
export { countKeysOf, revokeKeysOf, type MadeBy } from './made-keys.js';
export { CLIENT_SIGNING_ALGORITHMS, clientKeySetSchema, type ClientKeySet } from './client-keys.js';
export { DPOP_ALGORITHMS, verifyDpopProof, type DpopProof, type ProvedRequest } from './dpop-proof.js';
export { actorsOf, principalBinding, type Principal } from './principal.js';
export { applicationTypeOf, REDIRECT_URI_LENGTH_MAX, redirectUriProblem } from './redirect-uri.js';
export { parseResource, resourceUrl, type TenantResource, type UrlScheme } from './resources.js';
export {
  hashClientSecret,
  mintClientId,
  mintClientSecret,
  tenantOfClient,
  type NewClientSecret,
} from './tenant-client.js';
export { AccessTokenVerifier, type AccessTokenClaims, type Actor } from './access-token.js';
export { codeSetUp, newCodeSecret, stepOfCode } from './one-time-codes.js';
export { RemoteKeys } from './remote-keys.js';
export {
  allowsTool,
  basicScope,
  EVERYTHING,
  firstScope,
  opens,
  READ_EVERYWHERE,
  scopeFor,
  scopesOf,
  type ScopedTool,
  type ServerScopes,
  type ToolAccess,
  withImplied,
} from './scopes.js';
export { elsewhere, type ServingRegion } from './home-region.js';
