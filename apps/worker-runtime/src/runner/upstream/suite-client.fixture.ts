/**
 * Our upstream MCP client as the conformance suite starts it: a session with the server whose URL is the last argument,
 * over plain `fetch` in place of egress, for a caller who accepts what it is asked with the defaults that it is given.
 */
import type { CallerLink } from '../peer/caller-link.js';
import { mirroredHeaders, scanParameterHeaders } from '../tools/parameter-headers.js';
import { NOBODY } from './upstream-fetch.js';
import { UpstreamSession, type SessionStart } from './upstream-session.js';

interface Schema {
  readonly properties?: Readonly<Record<string, { readonly default?: unknown; readonly type?: unknown }>>;
}

const TOTAL_MS = 25_000;
const url = process.argv.at(-1) ?? '';
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as {
  readonly toolCalls?: ReadonlyArray<{ readonly name: string; readonly arguments: Record<string, unknown> }>;
}; // the suite's own
const asking = { s: NOBODY, lastMs: Date.now() + TOTAL_MS };
const port: SessionStart['port'] = {
  drifted: () => undefined,
  open: (_owner, { method, url, headers, body, signal }) =>
    fetch(new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }), { signal: signal ?? null }),
};
const link: CallerLink = {
  capabilities: { elicitation: {}, sampling: {} },
  request: ({ params = {} }) => {
    const properties = (params['requestedSchema'] as Schema | undefined)?.properties ?? {}; // the suite's own
    const content = Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, schema.default ?? valueOf(schema.type)]),
    );
    return Promise.resolve({ action: 'accept', content });
  },
  notify: () => undefined,
};

function valueOf(type: unknown): unknown {
  if (type === 'boolean') return true;
  return type === 'number' || type === 'integer' ? 1 : 'something';
}

/** Arguments that a schema asks for. */
function argumentsFor({ required = [], properties = {} }: Schema & { readonly required?: readonly string[] }): object {
  return Object.fromEntries(required.map((name) => [name, valueOf(properties[name]?.type)]));
}

const session = await UpstreamSession.open({
  upstream: { name: 'suite', url },
  digest: '',
  port,
  link,
  asking,
  listens: true,
  onListChanged: () => undefined,
});
const tools = await session.list('tools', asking);
/** As a build does, which refuses a tool whose headers are not declared as they must be. */
const sound = tools.filter(({ inputSchema }) => scanParameterHeaders(inputSchema).faults.length === 0);
const calls =
  context.toolCalls ??
  sound.map(({ name, inputSchema }) => ({ name: String(name), arguments: argumentsFor(inputSchema as Schema) })); // the suite's own
for (const { name, arguments: given } of calls) {
  const tool = sound.find((one) => one['name'] === name);
  if (tool === undefined) continue;
  const headers = mirroredHeaders(scanParameterHeaders(tool['inputSchema']).declarations, given);
  const signal = AbortSignal.timeout(TOTAL_MS);
  const times = { timeoutMs: TOTAL_MS, timeoutMaxMs: TOTAL_MS, signal, onProgress: undefined };
  const request = { method: 'tools/call', params: { name, arguments: given }, ...times, headers };
  await session.request(request, asking).catch((error: unknown) => process.stderr.write(`${name}: ${String(error)}\n`));
}
for (const kind of ['prompts', 'resources'] as const) await session.list(kind, asking).catch(() => []); // it may offer none
await session.stop();
process.exit(0);
