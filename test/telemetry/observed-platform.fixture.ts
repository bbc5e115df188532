import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setInterval } from 'node:timers/promises';
import { connectWithApiKey, OperatorApi, signUp, WharfApi, callRaw, type NewApiKey } from '#libs/journey';
import { OtlpReceiver, startWharf, type Wharf } from '#libs/testing';

/** The agent's own trace. */
export const AGENT_TRACE = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
/** What may never be seen in telemetry: an argument, a secret, a credential's text. */
export const ARGUMENT_CANARY = 'argument-canary-7391';
export const SECRET_CANARY = 'secret-canary-2846';

/** A tenant with a server of three tools. */
export interface ObservedTenant {
  readonly slug: string;
  readonly apiKey: NewApiKey;
  readonly api: WharfApi;
  readonly url: string;
}

/** What calls add up to, as far as tests read it. */
export interface Sums {
  readonly calls: number;
  readonly tool_errors: number;
  readonly invalid_arguments: number;
  readonly unknown_tools: number;
  readonly corrections: number;
  readonly repeats: number;
  readonly p95_seconds: number | null;
  readonly queue_p95_seconds: number | null;
  readonly concurrency_peak: number;
}

/** The sums of one level. */
export type Summed = Sums & { readonly server?: string; readonly tool?: string };

/** `GET /v1/metrics/summary` */
export interface Summary {
  readonly total: Sums;
  readonly servers: ReadonlyArray<Sums & { readonly server: string }>;
  readonly tools: ReadonlyArray<Sums & { readonly server: string; readonly tool: string }>;
}

/** The platform as processes, with a collector that it exports to and an upstream that its tools call. */
export class ObservedPlatform {
  readonly #upstream = createServer((request, response) => {
    this.arrived.push(request);
    if (request.url?.startsWith('/broken') === true) return void response.writeHead(500).end('broken');
    return void response.setHeader('content-type', 'application/json').end('{"found":1}');
  });
  /** The requests that came to the upstream. */
  readonly arrived: IncomingMessage[] = [];

  private constructor(
    readonly wharf: Wharf,
    readonly receiver: OtlpReceiver,
  ) {}

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<ObservedPlatform> {
    const receiver = await OtlpReceiver.start();
    const wharf = await startWharf({
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...environment },
    });
    const platform = new ObservedPlatform(wharf, receiver);
    await new Promise<void>((resolve) => platform.#upstream.listen(0, '127.0.0.1', resolve));
    return platform;
  }

  /** Ends the platform, which sends the rest of its telemetry; what was received can be read afterwards. */
  async stop(): Promise<void> {
    await this.wharf.stop();
    await this.receiver.stop();
    this.#upstream.closeAllConnections();
    await new Promise((resolve) => this.#upstream.close(resolve));
  }

  /** Opens a tenant whose tools call the upstream with a secret. */
  async openTenant(slug: string): Promise<ObservedTenant> {
    const { port } = this.#upstream.address() as AddressInfo; // listening on TCP
    const origin = `http://127.0.0.1:${port}`;
    const { api_key: apiKey } = await signUp(this.wharf.url, {
      tenantName: slug,
      slug,
      email: `owner@${slug}.example`,
      password: `${slug} correct horse battery`,
    });
    const operator = new OperatorApi({ publicUrl: this.wharf.url, operatorKey: this.wharf.operatorKey });
    await operator.allowEgress(slug, '127.0.0.1', port, 'the test’s own upstream');
    const api = new WharfApi({ publicUrl: this.wharf.url, apiKey: apiKey.text });
    await api.putSecret('upstream', SECRET_CANARY);
    await api.createServer('shop', 'Shop');
    const tool = (name: string) => ({
      name,
      description: 'Asks.',
      method: 'GET',
      url: `${origin}/${name}/{item}`,
      annotations: { readOnlyHint: true },
      inputSchema: { type: 'object', properties: { item: { type: 'string' } }, required: ['item'] },
      credentials: ['key'],
    });
    const credentials = [
      { id: 'key', origins: [origin], in: 'header', name: 'x-api-key', prefix: '', secret: 'upstream' },
    ];
    const { release } = await api.createRelease('shop', {
      kind: 'http',
      tools: [tool('find'), tool('broken')],
      credentials,
    });
    await this.#manage(apiKey, '/v1/servers/shop/probes', {
      name: 'finds',
      tool: 'find',
      arguments: { item: ARGUMENT_CANARY },
      expect: { text: 'found' },
    });
    await api.publish('shop', release.id);
    return { slug, apiKey, api, url: `${this.wharf.url}/t/${slug}/shop/mcp` };
  }

  /** Calls a tool as an agent that traces its work. */
  async call(tenant: ObservedTenant, name: string, given: object, traceparent?: string): Promise<void> {
    await callRaw({
      url: tenant.url,
      bearer: tenant.apiKey.text,
      method: 'tools/call',
      params: { name, arguments: given },
      ...(traceparent === undefined ? {} : { headers: { traceparent } }),
    });
  }

  /** The same in the era of sessions. */
  async callInSession(tenant: ObservedTenant, name: string, given: object, traceparent: string): Promise<void> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${tenant.apiKey.text}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    };
    const say = async (message: object): Promise<Response> => {
      const response = await fetch(tenant.url, { method: 'POST', headers, body: JSON.stringify(message) });
      if (!response.ok) throw new Error(`${JSON.stringify(message)}: ${await response.text()}`);
      return response;
    };
    const opening = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
    const opened = await say({ jsonrpc: '2.0', id: 1, method: 'initialize', params: opening });
    await opened.text();
    headers['mcp-session-id'] = opened.headers.get('mcp-session-id') ?? '';
    headers['mcp-protocol-version'] = '2025-11-25';
    await say({ jsonrpc: '2.0', method: 'notifications/initialized' });
    headers['traceparent'] = traceparent;
    const answered = await say({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name, arguments: given } });
    await answered.text();
  }

  /** Has the tenant's audit log sent to the collector, as OTLP logs. */
  async streamLogs({ slug, apiKey }: ObservedTenant): Promise<void> {
    const operator = new OperatorApi({ publicUrl: this.wharf.url, operatorKey: this.wharf.operatorKey });
    const { port } = new URL(this.receiver.endpoint);
    await operator.allowEgress(slug, '127.0.0.1', Number(port), 'the test’s own collector');
    const url = `${this.receiver.endpoint}/v1/logs`;
    await this.#manage(apiKey, '/v1/webhooks', { mode: 'stream', name: 'SIEM', url, format: 'otlp' });
  }

  /** Waits until the collector has the record of a call of this trace. */
  async untilLogged(traceId: string): Promise<void> {
    const isThere = (): boolean => this.receiver.logs.some(({ logs }) => logs.some((log) => log.traceId === traceId));
    for (let requests = this.receiver.logs.length; !isThere(); requests += 1)
      await this.receiver.untilLogs(requests + 1);
  }

  /** What a tenant's calls add up to, as soon as so many are in it. @throws Error when they do not come in time */
  async summaryOf({ apiKey }: ObservedTenant, calls: number): Promise<Summary> {
    const lateMs = Date.now() + 30_000;
    for await (const _ of setInterval(250)) {
      const answer = await fetch(`${this.wharf.url}/v1/metrics/summary`, {
        headers: { authorization: `Bearer ${apiKey.text}` },
      });
      const summary = (await answer.json()) as Summary; // its documented answer
      if (summary.total.calls >= calls || Date.now() > lateMs) return summary;
    }
    throw new Error('intervals do not end');
  }

  /** Calls of every kind that telemetry tells apart, in both eras. */
  async useAll(tenant: ObservedTenant): Promise<void> {
    const item = ARGUMENT_CANARY;
    await this.#manage(tenant.apiKey, '/v1/servers/shop/probes/run', {});
    await this.call(tenant, 'find', { item });
    await this.call(tenant, 'find', { item });
    await this.call(tenant, 'find', { wrong: item });
    await this.call(tenant, 'find', { item: 'other' });
    await this.call(tenant, 'broken', { item });
    await this.call(tenant, 'no-such-tool', { item });
    for (const protocol of ['default', '2026-07-28'] as const) {
      const agent = await connectWithApiKey({ url: tenant.url, apiKey: tenant.apiKey.text, protocol });
      await agent.client.callTool({ name: 'find', arguments: { item } });
      await agent.close();
    }
  }

  async #manage({ text: key }: NewApiKey, path: string, body: object): Promise<void> {
    const answer = await fetch(`${this.wharf.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  }

  /** What the platform shows to Prometheus. */
  async scrape(): Promise<string> {
    return (await fetch(`${this.wharf.url}/metrics`)).text();
  }
}
