import { once } from 'node:events';
import { connect } from 'node:net';
import type { Wharf } from '#libs/testing';

interface Action {
  readonly action: string;
  readonly operator: { readonly name: string };
  readonly details: { readonly service: string; readonly refusals: ReadonlyArray<{ readonly rule: string }> };
}

/** What the platform's log says of it then. */
export const REFUSED = [
  'Wharf itself: wharf_auth token.client_refused',
  'Wharf itself: wharf_control management.unauthenticated',
  'Wharf itself: wharf_control operators.unauthenticated',
  'Wharf itself: wharf_gateway host_not_served',
  'Wharf itself: wharf_gateway url_unknown',
] as const;

/** Is refused in every way that concerns no tenant. */
export async function beRefused({ url }: Wharf): Promise<void> {
  const at = new URL(url);
  const foreign = connect(Number(at.port), at.hostname);
  foreign.end('GET /t/kept/mcp HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n');
  await once(foreign.resume(), 'close');
  const stranger = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'stranger', client_secret: 'x' });
  const nonsense = { headers: { authorization: 'Bearer nonsense' } };
  const answers = [
    await fetch(`${url}/t/nobody-has-this/mcp`, { method: 'POST' }),
    await fetch(`${url}/auth/token`, { method: 'POST', body: stranger }),
    await fetch(`${url}/v1/servers`, nonsense),
    await fetch(`${url}/admin/v1/tenants`, nonsense),
  ];
  const statuses = answers.map(({ status }) => status).join();
  if (statuses !== '404,401,401,401') throw new Error(`not refused as expected: ${statuses}`);
}

/** Who refused by which rule, as operators see it: `{operator}: {service} {rule}`. */
export async function countedRefusals({ url, operatorKey }: Wharf): Promise<string[]> {
  const headers = { authorization: `Bearer ${operatorKey}` };
  const answer = await fetch(`${url}/admin/v1/actions?limit=200`, { headers });
  const { actions } = JSON.parse(await answer.text()) as { actions: Action[] }; // its documented answer
  return actions
    .filter(({ action }) => action === 'refusals.counted')
    .flatMap(({ operator, details: { service, refusals } }) =>
      refusals.map(({ rule }) => `${operator.name}: ${service} ${rule}`),
    );
}
