import { Client } from 'pg';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, send, within, type Answer } from '../requests.fixture.js';

/** A gateway with two tenants, and the connection by which what somebody holds is given and taken away. */
export interface Holding {
  readonly gateway: GatewayUnderTest;
  readonly owner: Client;
  readonly acme: TenantUnderTest;
  readonly globex: TenantUnderTest;
  stop(): Promise<void>;
}

export async function openHolding(): Promise<Holding> {
  const gateway = await GatewayUnderTest.start();
  const owner = new Client({ connectionString: gateway.store.databaseUrl });
  await owner.connect();
  const acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' });
  const globex = await gateway.tenant('globex', { find: 'https://api.example.com/find' });
  const stop = async (): Promise<void> => {
    await owner.end();
    await gateway.stop();
  };
  return { gateway, owner, acme, globex, stop };
}

/** Lists the tenant's tools by this token. */
export function list(tenant: TenantUnderTest, token: string): Promise<Answer> {
  const { headers, body } = modern('tools/list');
  return send(tenant.url, { headers: { ...headers, authorization: `Bearer ${token}` }, body });
}

/** The answer that refuses the token, once one does. */
export async function untilRefused(tenant: TenantUnderTest, token: string): Promise<Answer> {
  return until(async () => {
    const answer = await list(tenant, token);
    return answer.status !== 200 && answer;
  }, 'the token is refused');
}

/** Opens a session and its stream by this token; returns how to read the stream to its end, which the gateway makes. */
export async function openStream(tenant: TenantUnderTest, token: string): Promise<() => Promise<string>> {
  const authorization = `Bearer ${token}`;
  const opened = legacy(INITIALIZE);
  const session = await send(tenant.url, { ...opened, headers: { ...opened.headers, authorization } });
  const stream = await fetch(tenant.url, {
    headers: {
      authorization,
      accept: 'text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      'mcp-session-id': String(session.headers['mcp-session-id']),
    },
  });
  if (stream.status !== 200) throw new Error(`the stream was answered ${stream.status}`);
  return () => within(15_000, stream.text());
}
