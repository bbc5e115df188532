import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OperatorApi, type Person } from '#libs/journey';
import { LoginUpstream, openBrowser, OtlpReceiver, startWharf, type Wharf } from '#libs/testing';
import {
  allow,
  callModern,
  legacyAgent,
  logInAt,
  send,
  signUpOwner,
  textOf,
  tokenOf,
  until,
} from '../journeys/connections.fixture.js';

/** What a person asks, what they are told, and what opens doors: none of it is telemetry's. */
const ASKED = 'asked-canary-5521';
const SAVED = 'saved-canary-8034';
const DOCUMENT = 'document-canary-6617';

let wharf: Wharf;
let upstream: LoginUpstream;
let receiver: OtlpReceiver;
let chromium: Awaited<ReturnType<typeof openBrowser>>;
let ann: Person & { readonly key: string };
let management: string;
const tokens: string[] = [];
let scraped = '';

beforeAll(async () => {
  [upstream, receiver, chromium] = await Promise.all([LoginUpstream.start(), OtlpReceiver.start(), openBrowser()]);
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, WHARF_LOG_LEVEL: 'trace' };
  wharf = await startWharf({ environment: { ...environment, OTEL_METRIC_EXPORT_INTERVAL: '500' } });
  ann = await signUpOwner(wharf, 'acme');
  await allow(wharf, 'acme', upstream.port);
  await streamLogs();
  management = await tokenOf(wharf, ann, `${wharf.url}/v1/tenants/acme`, 'management');
  await openMail();
  await openTeam();
  for (const server of ['mail', 'team'])
    tokens.push(await tokenOf(wharf, ann, urlOf(server), `${server}:read ${server}:write`));
}, 120_000);
afterAll(async () => {
  await chromium?.close();
  await Promise.all([wharf?.stop().catch(() => undefined), upstream?.stop(), receiver?.stop().catch(() => undefined)]);
});

const urlOf = (server: string): string => `${wharf.url}/t/acme/${server}/mcp`;

/** The audit log goes to the collector too, as OTLP logs. */
async function streamLogs(): Promise<void> {
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.allowEgress('acme', '127.0.0.1', Number(new URL(receiver.endpoint).port), 'the test’s own collector');
  const body = { mode: 'stream', name: 'SIEM', url: `${receiver.endpoint}/v1/logs`, format: 'otlp' };
  await send(wharf, 'POST', '/v1/webhooks', { key: ann.key, body });
}

/** A remote server at which each person acts with their own login. */
async function openMail(): Promise<void> {
  await send(wharf, 'PUT', '/v1/connectors/mailbox', {
    key: ann.key,
    body: { title: 'Mailbox', resource: upstream.url },
  });
  const body = { connector: 'mailbox' };
  const { connect_url: link } = await send(wharf, 'POST', '/v1/me/connections', { key: management, body });
  await logInAt({ upstream, chromium }, link, ann, 'ann@mail');
  const auth = { kind: 'connection', connector: 'mailbox' };
  await publish('mail', { kind: 'remote', upstreams: [{ name: 'mail', url: upstream.url, auth }] });
}

async function openTeam(): Promise<void> {
  await publish('team', { kind: 'knowledge', title: 'Team memory', language: 'english', memory: true });
  const body = { name: 'secret', title: 'The secret', text: `${DOCUMENT} lives in the queen’s chamber.` };
  await send(wharf, 'POST', '/v1/servers/team/documents', { key: ann.key, body });
}

async function publish(slug: string, source: object): Promise<void> {
  await send(wharf, 'POST', '/v1/servers', { key: management, body: { slug, name: slug } });
  await send(wharf, 'POST', `/v1/servers/${slug}/releases`, { key: management, body: { source, publish: true } });
  await until(
    async () => (await send(wharf, 'GET', `/v1/servers/${slug}`, { key: ann.key })).live_release ?? undefined,
  );
}

/** The same calls in both eras: of the remote server with the person's login, of the documents, and wrong ones. */
async function useAll(mail: string, team: string): Promise<string> {
  const calls = [
    { server: 'mail', token: mail, name: 'whose', arguments: {} },
    { server: 'mail', token: mail, name: 'whose', arguments: { asked: ASKED } },
    { server: 'team', token: team, name: 'search_documents', arguments: { query: 'queens chamber' } },
    { server: 'team', token: team, name: 'search_documents', arguments: { query: ASKED } },
    { server: 'team', token: team, name: 'read_document', arguments: { uri: `knowledge://team/notes/${ASKED}` } },
    { server: 'team', token: team, name: 'no-such-tool', arguments: { text: SAVED } },
  ];
  let told = '';
  for (const { server, token, name, arguments: given } of calls) {
    told += textOf(await callModern(urlOf(server), token, { name, arguments: given }));
    const agent = await legacyAgent(urlOf(server), token, 'shows none');
    told += textOf(await agent.callTool({ name, arguments: given }).catch((error: unknown) => String(error)));
    await agent.close();
  }
  return told;
}

test('no trace, metric, log or exported record holds what was asked, told or saved, or a login', async () => {
  const [mail = '', team = ''] = tokens;
  const told = await useAll(mail, team);
  expect(told).toContain('mailbox of ann@mail');
  expect(told).toContain(DOCUMENT);
  for (const metric of ['wharf_tool_calls_total', 'wharf_workers']) await receiver.untilMetric(metric);
  const calls = (): number =>
    receiver.logs.flatMap(({ logs }) => logs).filter(({ event }) => event === 'call.completed').length;
  await until(async () => (calls() >= 12 ? true : undefined));
  scraped = await (await fetch(`${wharf.url}/metrics`)).text();
  const { tokens: logins } = await upstream.tell();
  await wharf.stop();
  const names = new Set(receiver.spans.map(({ name }) => name));
  expect([...names]).toEqual(expect.arrayContaining(['tools/call whose', 'tools/call search_documents']));
  const eras = receiver.spans.map(({ attributes }) => attributes['wharf.era']);
  expect(eras).toEqual(expect.arrayContaining(['modern', 'legacy']));
  expect(logins.length).toBeGreaterThan(0);
  const seen = { exported: receiver.text, scraped, logged: wharf.logs() };
  const canaries = [ASKED, SAVED, DOCUMENT, ann.key, management, ...tokens, ...logins];
  for (const [where, text] of Object.entries(seen))
    expect([where, canaries.filter((canary) => text.includes(canary))]).toEqual([where, []]);
}, 60_000);
