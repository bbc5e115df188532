import { Client } from 'pg';
import type { Secret } from '#libs/config';
import { RoleUrls } from './connection/role-urls.js';
import type { DatabaseRole } from './roles.js';
import { endWhenSilent } from './connection/silence.js';

/**
 * What triggers notify about: `wharf_changes` with the changed tenant's id (or `*` for all), `wharf_outbox` with an
 * empty payload when jobs were written, `wharf_documents` with which documents of which tenant's server were written.
 */
export type NotifyChannel = 'wharf_changes' | 'wharf_outbox' | 'wharf_documents';

const RECONNECT_MS = 1_000;
/** Nothing may come for hours; that the server still is there is asked for so often, and waited for so long. */
const HEARTBEAT_MS = 3_000;
const SILENCE_MS = 3_000;

/** An open subscription to committed changes. */
export interface ChangeListener {
  /** Whether notifications arrive now; while not, cached rows must not be trusted for long. */
  readonly connected: boolean;
  close(): Promise<void>;
}

/** What to listen with and whom to tell. */
export interface ChangeListenerOptions {
  readonly databaseUrl: string;
  readonly role: DatabaseRole;
  readonly masterKey: Secret;
  /** Default `wharf_changes`. */
  readonly channel?: NotifyChannel;
  /** Called with a tenant's id when its rows changed, and with `*` after every (re)connection. */
  readonly onChange: (tenantId: string) => void;
}

class Subscription implements ChangeListener {
  connected = false;
  #closed = false;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  readonly #urls: RoleUrls;

  constructor(private readonly options: ChangeListenerOptions) {
    this.#urls = new RoleUrls(options);
  }

  open(): Promise<void> {
    return this.#urls.connect((url) => this.#openAt(url));
  }

  async #openAt(connectionString: string): Promise<void> {
    const client = new Client({
      connectionString,
      application_name: `${this.options.role}:changes`,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    this.#client = client;
    client.on('notification', (notification) => this.options.onChange(notification.payload ?? '*'));
    client.on('error', () => client.end().catch(() => undefined));
    await client.connect();
    endWhenSilent(client, SILENCE_MS);
    await client.query(`listen ${this.options.channel ?? 'wharf_changes'}`);
    // One that fails while it opens rejects; only one attempt may follow.
    client.on('end', () => this.#reopenLater());
    this.connected = true;
    this.#beatLater(client);
    this.options.onChange('*');
  }

  /** Asks again only once it was answered: what is sent meanwhile would pass for a sign of life. */
  #beatLater(client: Client): void {
    this.#heartbeat = setTimeout(() => {
      client.query('select 1').then(
        () => void (this.#client === client && !this.#closed && this.#beatLater(client)),
        () => undefined,
      );
    }, HEARTBEAT_MS);
  }

  #reopenLater(): void {
    this.connected = false;
    clearTimeout(this.#heartbeat);
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.open().catch(() => this.#reopenLater());
    }, RECONNECT_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#heartbeat);
    await this.#client?.end();
  }
}

/** Listens for committed changes of tenants' routes, keys, secrets and plans; reconnects by itself. */
export async function listenForChanges(options: ChangeListenerOptions): Promise<ChangeListener> {
  const subscription = new Subscription(options);
  await subscription.open();
  return subscription;
}
