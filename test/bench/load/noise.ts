import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';

/** What noise is made of, and where. */
export interface Noise {
  readonly url: string;
  readonly bearer: string;
  /** Calls a second; where it is not given, `atOnce` without a pause. */
  readonly perSecond?: number;
  readonly atOnce?: number;
  readonly request: NoiseRequest;
}

/** One request, as its sender writes it. */
export interface NoiseRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'wharf-bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
};

/** `tools/list` of the 2026 era. */
export const LIST: NoiseRequest = {
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META } }),
  headers: { ...HEADERS, 'mcp-method': 'tools/list' },
};

/** A tool call, which is what most calls are. */
export const CALL: NoiseRequest = {
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'echo', arguments: { text: 'call' }, _meta: META },
  }),
  headers: { ...HEADERS, 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
};

const PROGRAM = path.resolve('test/overload/noise.process.fixture.ts');

/** Makes noise in a process of its own while `work` runs; how its calls ended. */
export async function amid(
  { request, ...how }: Noise,
  work: () => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify({ ...how, ...request })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = text(child.stdout);
  await once(child, 'spawn');
  if (how.perSecond !== undefined && child.pid !== undefined) yieldAlways(child.pid);
  await work();
  child.stdin.end();
  return JSON.parse(await said) as Record<string, number>; // its own words
}

/** Who calls at a pace is on other machines; here it has what the platform leaves of the processors, and gives way at once. */
function yieldAlways(pid: number): void {
  execFileSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(pid)]);
}
