import { canonicalJson, sha256Digest, type Manifest } from '#libs/protocol';

/** A tool whose name begins with `write` is one that writes. */
export function accessOf(tools: Readonly<Record<string, string>>): Record<string, 'read' | 'write'> {
  return Object.fromEntries(Object.keys(tools).map((name) => [name, name.startsWith('write') ? 'write' : 'read']));
}

/** A release of these tools: name → URL template. One whose name begins with `structured` promises an object. */
export function manifestOf(server: string, tools: Readonly<Record<string, string>>): Manifest {
  const origins = [...new Set(Object.values(tools).map((url) => new URL(url).origin))];
  return {
    version: 1,
    kind: 'http',
    server: { name: server },
    origins,
    credentials: [],
    tools: Object.entries(tools).map(([name, urlTemplate]) => ({
      name,
      description: `Calls ${name}.`,
      annotations: { readOnlyHint: !name.startsWith('write') },
      inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
      ...(name.startsWith('structured') ? { outputSchema: { type: 'object' as const } } : {}),
      http: {
        method: 'GET',
        urlTemplate,
        placements: [{ argument: 'text', in: 'query', name: 'text' }],
        headers: {},
        credentials: [],
        timeoutMs: 30_000,
      },
    })),
  };
}

/** What a release pins of its tools. */
export function digestsOf(tools: Readonly<Record<string, string>>): Record<string, string> {
  const pinned = manifestOf('', tools).tools.map(({ http: _, ...shown }) => [
    shown.name,
    sha256Digest(canonicalJson(shown)),
  ]);
  return Object.fromEntries(pinned);
}
