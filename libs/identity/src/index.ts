export { hashApiKey, mintApiKey, tenantOfApiKey, type NewApiKey } from './api-key.js';
export { actorsOf, principalBinding, type Principal } from './principal.js';
export { parseResource, resourceUrl, type TenantResource, type UrlScheme } from './resources.js';
export { AccessTokenVerifier, type AccessTokenClaims, type Actor } from './access-token.js';
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
