export { OpenIdFailure } from './openid-failure.js';
export { OpenIdFetch, privateHostsOf, type PrivateHost } from './openid-fetch.js';
export { discoverProvider, type DiscoverableProvider, type DiscoveredProvider } from './discover-provider.js';
export { GROUP_ROLES, type GroupRole } from './group-role.js';
export { clientSecretBasic, clientSecretPurpose } from './client-secret.js';
