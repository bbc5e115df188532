import type { Problems } from '../build-checks/problems.js';
import { scanParameterHeaders } from '../tools/parameter-headers.js';

/** The keyword of an argument that modern clients mirror in a header (MCP 2026-07-28, transports, "x-mcp-header"). */
export const HEADER_KEYWORD = 'x-mcp-header';
/** Where the document says it: copies of a schema keep it, and JSON leaves it out. */
const PLACE = Symbol('place in the document');

/** Remembers where a schema's `x-mcp-header` stands in the document. */
export function rememberPlace(schema: object, pointer: string): void {
  Object.assign(schema, { [PLACE]: pointer });
}

/** Notes every `x-mcp-header` that clients would choke on, at its place in the document. */
export function refuseMirrored(problems: Problems, pointer: string, inputSchema: object): void {
  for (const fault of scanParameterHeaders(inputSchema).faults)
    problems.add(placeOf(inputSchema, fault.pointer) ?? pointer, fault.message);
}

function placeOf(inputSchema: object, faulty: string): string | undefined {
  const names = faulty.split('/').slice(1, -1);
  let node: unknown = inputSchema;
  for (const name of names) node = childOf(node, name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const place = childOf(node, PLACE);
  return typeof place === 'string' ? place : undefined;
}

function childOf(node: unknown, name: string | symbol): unknown {
  return typeof node === 'object' && node !== null && Object.hasOwn(node, name) ? Reflect.get(node, name) : undefined;
}
