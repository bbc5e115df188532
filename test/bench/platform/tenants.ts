import { OperatorApi, signUp, WharfApi } from '#libs/journey';
import { ECHO_TOOL, HUNDRED_TOOLS } from '../servers/echo-tool.js';
import type { Launched } from './launcher.js';

/** A tenant with a server of one echo tool and, where asked for, one of a hundred tools. */
export interface BenchTenant {
  readonly slug: string;
  readonly email: string;
  readonly apiKey: string;
  readonly echoUrl: string;
  readonly hundredUrl: string;
}

/** The password of everybody who signs up in the bench. */
export const PASSWORD = 'correct horse battery staple';

/** Which servers a tenant publishes. */
export type TenantKind = 'echo' | 'echo and hundred';

/** Puts no limit worth naming on the bench's tenants. */
export async function definePlan(wharf: Launched): Promise<void> {
  await planOf(wharf, 'bench', 10_000_000);
}

/** Makes a plan of so many calls in a minute, and puts a tenant on it where one is named. */
export async function planOf(wharf: Launched, name: string, callsPerMinute: number, slug?: string): Promise<void> {
  const limits = { callsPerMinute, concurrentCalls: 1_000, serversMax: 10, workerMemoryMb: 256 };
  await operatorOf(wharf).definePlan(name, limits, 'bench');
  if (slug !== undefined) await operatorOf(wharf).setPlan(slug, name, 'bench');
}

/** Signs a tenant up on the bench's plan, or another, and publishes its servers; their tools call the upstream on `port`. */
export async function publishTenant(
  wharf: Launched,
  port: number,
  slug: string,
  kind: TenantKind,
  plan = 'bench',
): Promise<BenchTenant> {
  const operator = operatorOf(wharf);
  const email = `${slug}@example.com`;
  const { api_key: key } = await signUp(wharf.url, { tenantName: slug, slug, email, password: PASSWORD });
  await operator.setPlan(slug, plan, 'bench');
  await operator.allowEgress(slug, '127.0.0.1', port, 'bench');
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: key.text });
  await publishServer(api, 'echo', [ECHO_TOOL], port);
  if (kind === 'echo and hundred') await publishServer(api, 'hundred', HUNDRED_TOOLS, port);
  const url = (server: string): string => `${wharf.url}/t/${slug}/${server}/mcp`;
  return { slug, email, apiKey: key.text, echoUrl: url('echo'), hundredUrl: url('hundred') };
}

/** More API keys of a tenant that may call and nothing else. */
export async function callKeys(wharf: Launched, tenant: BenchTenant, count: number): Promise<string[]> {
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: tenant.apiKey });
  const keys: string[] = [];
  for (let number = 0; number < count; number += 1) {
    keys.push((await api.createApiKey(`bench ${number}`, ['mcp'])).text);
  }
  return keys;
}

/** Imports GitHub's own OpenAPI document as a tenant would, and returns how long the answer took, in ms. */
export async function importGitHub(
  wharf: Launched,
  document: Buffer,
): Promise<{ ms: number; tools: number; skipped: number }> {
  const person = { email: 'github@example.com', password: PASSWORD };
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

function operatorOf(wharf: Launched): OperatorApi {
  return new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
}

async function publishServer(
  api: WharfApi,
  slug: string,
  tools: ReadonlyArray<typeof ECHO_TOOL>,
  port: number,
): Promise<void> {
  await api.createServer(slug, slug);
  await api.allowWrites(slug, 'write');
  const { release } = await api.createRelease(slug, {
    kind: 'http',
    tools: tools.map((tool) => ({ ...tool, method: 'POST', url: `http://127.0.0.1:${port}/` })),
  });
  await api.publish(slug, release.id);
}
