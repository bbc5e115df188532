import { connectAgent } from '#libs/journey';
import type { Launched } from '../platform/launcher.js';
import { PASSWORD, type BenchTenant } from '../platform/tenants.js';
import { startListening, type ListeningProgram } from '../servers/program.js';
import type { Contender, Contest } from './compare.js';

/** Servers to compare with, each a process of its own. */
export interface Others {
  readonly bare: ListeningProgram;
  readonly raw: ListeningProgram;
}

/** Starts the bare SDK server and the floor. */
export async function startOthers(upstreamPort: number): Promise<Others> {
  const [bare, raw] = await Promise.all([
    startListening('bare', String(upstreamPort)),
    startListening('raw', String(upstreamPort)),
  ]);
  return { bare, raw };
}

/**
 * What is compared. The platform's tools call an upstream, so the equal of its `tools/call` is the bare server whose
 * tool calls the same upstream; the bare server that echoes by itself stands beside it.
 */
export async function contestsOf(wharf: Launched, tenant: BenchTenant, others: Others): Promise<Contest[]> {
  const { accessToken } = await connectAgent({ url: tenant.echoUrl, email: tenant.email, password: PASSWORD });
  const platform = (url: string, name: string, bearer: string): Contender => ({ name, pid: wharf.pid, url, bearer });
  const at = ({ pid, port }: ListeningProgram, path: string, name: string): Contender => ({
    name,
    pid,
    url: `http://127.0.0.1:${port}${path}`,
  });
  const { bare, raw } = others;
  const byKey = platform(tenant.echoUrl, 'platform, API key', tenant.apiKey);
  const byToken = platform(tenant.echoUrl, 'platform, access token', accessToken);
  const bareUpstream = at(bare, '/upstream', 'bare SDK, upstream');
  const hundred = [at(bare, '/hundred', 'bare SDK'), platform(tenant.hundredUrl, 'platform', tenant.apiKey)];
  const hello = [at(bare, '/own', 'bare SDK'), byKey, at(raw, '/own', 'node:http')];
  return [
    {
      work: 'echo',
      inFlight: 32,
      contenders: [
        bareUpstream,
        byKey,
        byToken,
        at(bare, '/fetch', 'bare SDK, fetch()'),
        at(bare, '/own', 'bare SDK, own echo'),
        at(raw, '/upstream', 'node:http, upstream'),
        at(raw, '/own', 'node:http, own echo'),
      ],
    },
    { work: 'echo', inFlight: 1, contenders: [bareUpstream, byKey, at(bare, '/own', 'bare SDK, own echo')] },
    { work: 'list', inFlight: 32, contenders: [...hundred, at(raw, '/hundred', 'node:http')] },
    { work: 'hello', inFlight: 32, contenders: hello },
    { work: 'hello', inFlight: 1, contenders: hello },
  ];
}
