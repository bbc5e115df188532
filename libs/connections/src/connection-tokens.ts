import { setTimeout as wait } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Secret } from '#libs/config';
import type { Database, Transaction } from '#libs/database';
import { OpenIdFetch, privateHostsOf, type PrivateHost } from '#libs/openid';
import { TenantVault } from '#libs/secrets';
import {
  endLease,
  findConnection,
  leaseConnection,
  openGranted,
  saveRefreshed,
  wantScopes,
  type Connection,
  type ConnectionKey,
  type Granted,
} from './connection.js';
import { findConnector, type Connector } from './connector.js';
import { SCOPE } from './connector-settings.js';
import { canRefresh, isGood, nameOf, type ConnectionWish, type Known } from './known-login.js';
import { isTakenBack, refreshGranted, revokeGranted } from './upstream-grants.js';

/** A person's token; that they must log in; or why neither is possible. */
export type ConnectionToken =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'login'; readonly title: string; readonly more?: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string };

/** Hears that an upstream has taken back what it granted, in the transaction that notes it. */
export type OnTakenBack = (tx: Transaction, key: ConnectionKey, connector: Connector) => Promise<void>;

const TENANTS_MAX = 5_000;
const CONNECTIONS_MAX = 1_000;
const KNOWN_MS = 30_000;
const REFRESH_MS = 20_000;
const STEP_MS = 100;
/** How many scopes are asked for at once; an upstream that wants more is not believed. */
const SCOPES_MAX = 50;

/**
 * Tokens of people at upstreams. What was read is kept in memory until the database tells of a change, half a minute at
 * most. A refresh is made by one process under a lease in the row, so that no transaction waits for an upstream and no
 * refresh token that rotates is used twice.
 */
export class ConnectionTokens {
  readonly #database: Database;
  readonly #vault: TenantVault;
  readonly #onTakenBack: OnTakenBack;
  readonly #http = new OpenIdFetch();
  readonly #known = new LRUCache<string, LRUCache<string, Known>>({ max: TENANTS_MAX });
  readonly #refreshing = new Map<string, Promise<Known>>();
  /** Counts what was forgotten, so that a read that began before it is not kept. */
  #forgets = 0;

  constructor({
    database,
    masterKey,
    onTakenBack,
  }: {
    readonly database: Database;
    readonly masterKey: Secret;
    readonly onTakenBack: OnTakenBack;
  }) {
    this.#database = database;
    this.#vault = new TenantVault(masterKey);
    this.#onTakenBack = onTakenBack;
  }

  /** The token of a person, refreshed where it has to be; of nobody else, whatever happens. */
  async find(wish: ConnectionWish): Promise<ConnectionToken> {
    const known = await this.#read(wish);
    const { connector } = known;
    if (connector === undefined)
      return failed(
        `There is no connector ${JSON.stringify(wish.connector)}. The owner of this server creates it with PUT /v1/connectors/${wish.connector}.`,
      );
    if (!connector.origins.includes(wish.origin))
      return failed(
        `The connector ${JSON.stringify(connector.name)} sends nobody's credentials to ${wish.origin}. The owner of this server adds it to the connector's origins.`,
      );
    // What somebody was told when they logged in holds until they log in again.
    if (known.granted?.origins.includes(wish.origin) === false) return { kind: 'login', title: connector.title };
    if (known.granted !== undefined && wish.lacking !== undefined)
      return this.#askForMore(wish, { ...known, connector, granted: known.granted }, wish.lacking);
    if (isGood(known, wish)) return { kind: 'token', token: known.granted.accessToken };
    if (!canRefresh(known)) return { kind: 'login', title: connector.title };
    try {
      const refreshed = await this.#refresh(wish, known);
      return isGood(refreshed, wish)
        ? { kind: 'token', token: refreshed.granted.accessToken }
        : { kind: 'login', title: connector.title };
    } catch {
      return failed(`${connector.title} did not renew your login there just now. Try again shortly.`);
    }
  }

  /** Forgets what is known of a tenant's connections; of all with `*`. */
  forget(tenantId: string): void {
    this.#forgets += 1;
    if (tenantId === '*') this.#known.clear();
    else this.#known.delete(tenantId);
  }

  async stop(): Promise<void> {
    await this.#http.stop();
  }

  async #read(wish: ConnectionWish): Promise<Known> {
    const found = this.#known.get(wish.tenantId)?.get(nameOf(wish));
    if (found !== undefined) return found;
    const forgets = this.#forgets;
    const known = await this.#load(wish);
    if (forgets === this.#forgets) this.#keep(wish, known);
    return known;
  }

  /** What was asked for already and is lacking all the same is not asked for again: that would never end. */
  async #askForMore(
    wish: ConnectionWish,
    { connector, granted }: Known & { readonly connector: Connector; readonly granted: Granted },
    lacking: string,
  ): Promise<ConnectionToken> {
    const { tenantId, accountId } = wish;
    const { title, id: connectorId } = connector;
    const asked = granted.asked ?? granted.client.scopes;
    const more = lacking.split(' ').filter((scope) => SCOPE.test(scope) && !asked.includes(scope));
    if (more.length === 0 || asked.length + more.length > SCOPES_MAX)
      return failed(
        `${title} refuses this to your login there (it wants ${lacking}), though it was asked for. Ask whoever runs ${title} to allow it to you, then log in there again.`,
      );
    await this.#database.asTenant(tenantId, (tx) => wantScopes(tx, { tenantId, accountId, connectorId }, more));
    return { kind: 'login', title, more };
  }

  #keep(wish: ConnectionWish, known: Known): void {
    const own = this.#known.get(wish.tenantId) ?? new LRUCache<string, Known>({ max: CONNECTIONS_MAX, ttl: KNOWN_MS });
    own.set(nameOf(wish), known);
    this.#known.set(wish.tenantId, own);
  }

  #load({ tenantId, accountId, connector: name }: ConnectionWish): Promise<Known> {
    return this.#database.asTenant(tenantId, async (tx) => {
      const connector = await findConnector(tx, tenantId, name);
      if (connector === undefined) return { connector, connection: undefined, granted: undefined };
      const connection = await findConnection(tx, { tenantId, connectorId: connector.id, accountId });
      const granted = connection && (await openGranted(tx, this.#vault, connection));
      return { connector, connection, granted };
    });
  }

  /** One refresh for all that wait in this process. */
  #refresh(wish: ConnectionWish, known: Known): Promise<Known> {
    const name = `${wish.tenantId} ${nameOf(wish)}`;
    const running = this.#refreshing.get(name);
    if (running !== undefined) return running;
    const refreshing = this.#refreshLeased(wish, known).finally(() => this.#refreshing.delete(name));
    this.#refreshing.set(name, refreshing);
    return refreshing;
  }

  /** Refreshes, or waits for the process that does. */
  async #refreshLeased(wish: ConnectionWish, before: Known): Promise<Known> {
    const untilMs = Date.now() + REFRESH_MS;
    for (let known = before; ; known = await this.#load(wish)) {
      const { connection, granted } = known;
      if (connection?.version !== before.connection?.version || connection?.state !== 'connected') return known;
      if (granted === undefined) return known;
      const lease = await this.#database.asTenant(wish.tenantId, (tx) => leaseConnection(tx, connection));
      if (lease !== undefined) return this.#renew(wish, { ...known, connection, granted }, lease);
      if (Date.now() > untilMs) throw new Error('another process did not end its refresh in time');
      await wait(STEP_MS);
    }
  }

  async #renew(
    wish: ConnectionWish,
    { connector, connection, granted }: Known & { readonly connection: Connection; readonly granted: Granted },
    lease: string,
  ): Promise<Known> {
    const { tenantId } = wish;
    try {
      const { secret, hosts } = await this.#database.asTenant(tenantId, (tx) =>
        upstreamNeeds(tx, this.#vault, tenantId, granted),
      );
      const renewed = await refreshGranted(granted, secret, this.#http.for(hosts));
      const kept = await this.#database.asTenant(tenantId, (tx) =>
        saveRefreshed(tx, this.#vault, { key: connection, lease, granted: renewed }),
      );
      // The person ended it meanwhile: what came after that is theirs no more either.
      if (!kept) await revokeGranted(renewed, secret, this.#http.for(hosts));
    } catch (error) {
      await this.#giveUp(connection, connector, { lease, takenBack: isTakenBack(error) });
      if (!isTakenBack(error)) throw error;
    }
    this.#forgets += 1;
    this.#known.get(tenantId)?.delete(nameOf(wish));
    return this.#read(wish);
  }

  async #giveUp(
    key: Connection,
    connector: Connector | undefined,
    { lease, takenBack }: { readonly lease: string; readonly takenBack: boolean },
  ): Promise<void> {
    const state = takenBack ? 'reconnect' : 'connected';
    await this.#database.asTenant(key.tenantId, async (tx) => {
      const held = await endLease(tx, { key, lease, state });
      if (held && takenBack && connector !== undefined) await this.#onTakenBack(tx, key, connector);
    });
  }
}

/** What a request to the upstream's authorization server needs beside what was granted. */
export async function upstreamNeeds(
  tx: Transaction,
  vault: TenantVault,
  tenantId: string,
  { client }: Pick<Granted, 'client'>,
): Promise<{ readonly secret: string | undefined; readonly hosts: readonly PrivateHost[] }> {
  const hosts = await privateHostsOf(tx, tenantId);
  if (client.secretName === undefined) return { secret: client.clientSecret, hosts };
  return { secret: (await vault.readSecrets(tx, tenantId)).get(client.secretName)?.value, hosts };
}

function failed(message: string): ConnectionToken {
  return { kind: 'failed', message };
}
