export {
  CLIENT_METHODS,
  connectorMark,
  findConnector,
  openClient,
  sealClient,
  type Connector,
  type UpstreamClient,
} from './connector.js';
export { connectorSettingsSchema, originsOf, type ConnectorSettings } from './connector-settings.js';
export {
  findConnection,
  openGranted,
  saveConnection,
  type Connection,
  type ConnectionKey,
  type Granted,
} from './connection.js';
export { upstreamNeeds, type ConnectionToken, type OnTakenBack } from './connection-tokens.js';
export type { ConnectionWish } from './known-login.js';
export { clientDocument, resolveClient, type OwnIdentity } from './discovery/resolve-client.js';
export { configurationOf, grantedBy, revokeGranted } from './upstream-grants.js';
export { PersonLogins, type LoggedInPerson } from './person-logins.js';
export { clientDocumentUrl, connectUrl, redirectUri } from './addresses.js';
