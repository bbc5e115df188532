import { Client } from 'pg';
import type { Secret } from '#libs/config';
import { RoleUrls } from '#libs/database';
import type { Ask } from '#libs/tenant-archive';

/** The role that moves tenants: it sees and writes every table of a tenant that is not at home where it works. */
const ROLE = 'wharf_mover';
const CONNECT_MS = 5_000;

/** How values are written as text, so that both sides write the same and lose nothing. */
const EXACT = `set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex';
  set extra_float_digits = 1; set client_encoding = 'UTF8'`;

/** Where to connect, and how long one statement may take there. */
export interface SessionOptions {
  readonly databaseUrl: string;
  readonly masterKey: Secret;
  readonly statementMs: number;
  /** Ends the connection, and with it whatever waits on it. */
  readonly signal: AbortSignal;
}

/** Runs `work` on a connection of its own as the role that moves tenants. @throws whatever `work` throws, or the signal's reason */
export async function withSession<Result>(
  { databaseUrl, masterKey, statementMs, signal }: SessionOptions,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const client = await new RoleUrls({ databaseUrl, role: ROLE, masterKey }).connect((url) => open(url, statementMs));
  const end = (): void => void client.end().catch(() => undefined);
  signal.addEventListener('abort', end);
  try {
    await client.query(EXACT);
    return await work(client);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
    await client.end().catch(() => undefined);
  }
}

async function open(connectionString: string, statementMs: number): Promise<Client> {
  const client = new Client({
    connectionString,
    application_name: ROLE,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: statementMs,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A client as what lists tables asks it. */
export function askOf(client: Client): Ask {
  return async <Row>(sql: string, values?: readonly unknown[]) => {
    const { rows } = await client.query(sql, values === undefined ? undefined : [...values]);
    return rows as Row[]; // as the statement says
  };
}

/** Makes a tenant the one of the transaction that is open. */
export async function enterTenant(client: Client, tenantId: string): Promise<void> {
  await client.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
}
