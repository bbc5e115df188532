import { createHash } from 'node:crypto';
import type { Connection, Granted } from './connection.js';
import type { Connector } from './connector.js';

/** Which token is wanted: whose, at which of the tenant's connectors, and where it is to be sent. */
export interface ConnectionWish {
  readonly tenantId: string;
  readonly accountId: string;
  readonly connector: string;
  readonly origin: string;
  /** SHA-256 of a token that the upstream has just refused. */
  readonly refused?: string | undefined;
  /** Scopes that the upstream has just said the token lacks, separated by spaces. */
  readonly lacking?: string | undefined;
}

/** What is known of a wish until something changes. */
export interface Known {
  readonly connector: Connector | undefined;
  readonly connection: Connection | undefined;
  readonly granted: Granted | undefined;
}

/** A token is not used in its last moments, which would end on the way. */
const MARGIN_MS = 30_000;

/** Whether a login serves a wish as it is. */
export function isGood(known: Known, { refused }: ConnectionWish): known is Known & { readonly granted: Granted } {
  const { connection, granted, connector } = known;
  if (connection?.state !== 'connected' || granted === undefined) return false;
  if (granted.client.issuer !== connector?.issuer) return false;
  if (refused !== undefined && tokenMark(granted.accessToken) === refused) return false;
  const margin = granted.refreshToken === undefined ? 0 : MARGIN_MS;
  return granted.expiresAtMs === undefined || granted.expiresAtMs - margin > Date.now();
}

/** Whether what was granted is renewed: by the server that granted it, as long as it is the connector's. */
export function canRefresh({ connection, granted, connector }: Known): boolean {
  if (connection?.state !== 'connected' || granted?.refreshToken === undefined) return false;
  return granted.client.issuer === connector?.issuer;
}

/** What a wish is kept under within its tenant. */
export function nameOf({ connector, accountId }: ConnectionWish): string {
  return `${accountId} ${connector}`;
}

/** What a refused token is told apart by. */
export function tokenMark(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
