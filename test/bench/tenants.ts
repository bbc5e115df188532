import { createServer } from 'node:http';
import { OperatorApi, signUp, WharfApi } from '#libs/journey';
import type { Launched } from './launcher.js';

/** A tenant with one published tool. */
export interface BenchTenant {
  readonly url: string;
  readonly apiKey: string;
}

/** An upstream that answers at once, so that what is measured is ours. */
export async function startQuickUpstream(): Promise<{ port: number; close(): void }> {
  const body = JSON.stringify({ ok: true });
  const server = createServer((_, response) => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      .end(body);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port');
  return {
    port: address.port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Signs up tenants on a plan without a limit worth naming and publishes one tool for each. */
export async function publishTenants(wharf: Launched, port: number, count: number): Promise<BenchTenant[]> {
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  const limits = { callsPerMinute: 10_000_000, concurrentCalls: 1_000, serversMax: 10, workerMemoryMb: 256 };
  await operator.definePlan('bench', limits, 'bench');
  const tenants: BenchTenant[] = [];
  for (let number = 0; number < count; number += 1) {
    const slug = `bench-${number}`;
    const person = { email: `${slug}@example.com`, password: 'correct horse battery staple' };
    const { api_key: key } = await signUp(wharf.url, { tenantName: slug, slug, ...person });
    await operator.setPlan(slug, 'bench', 'bench');
    await operator.allowEgress(slug, '127.0.0.1', port, 'bench');
    const api = new WharfApi({ publicUrl: wharf.url, apiKey: key.text });
    await api.createServer('bench', 'Bench');
    const { release } = await api.createRelease('bench', {
      kind: 'http',
      tools: [{ name: 'quick', description: 'Answers at once.', method: 'GET', url: `http://127.0.0.1:${port}/` }],
    });
    await api.publish('bench', release.id);
    tenants.push({ url: `${wharf.url}/t/${slug}/bench/mcp`, apiKey: key.text });
  }
  return tenants;
}

/** Imports GitHub's own OpenAPI document as a tenant would, and returns how long the answer took, in ms. */
export async function importGitHub(
  wharf: Launched,
  document: Buffer,
): Promise<{ ms: number; tools: number; skipped: number }> {
  const person = { email: 'github@example.com', password: 'correct horse battery staple' };
  const { api_key: key } = await signUp(wharf.url, { tenantName: 'GitHub', slug: 'github-import', ...person });
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: key.text });
  await api.createServer('github', 'GitHub');
  const uploaded = await fetch(`${wharf.url}/v1/artefacts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key.text}`, 'content-type': 'application/json' },
    body: new Uint8Array(document),
  });
  const { digest } = (await uploaded.json()) as { digest: string }; // our own API
  const started = performance.now();
  const { report } = await api.createRelease('github', { kind: 'openapi', artefact: digest });
  return { ms: performance.now() - started, tools: report.tools, skipped: report.skipped.length };
}
