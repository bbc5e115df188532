import { createHash } from 'node:crypto';
import { canonicalJson } from '#libs/protocol';
import type { PlacedCall } from '../sessions/place.js';

/** Methods whose results say how long they may be kept, and for whom (MCP 2026-07-28, caching). */
const METHODS = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);
const LENGTH_MAX = 16_384;
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const VERSION = 'io.modelcontextprotocol/protocolVersion';

/** What a request asks, as results are kept under it. */
export interface CacheQuestion {
  readonly tenantId: string;
  /** Of this principal, and of everybody with the same scopes. */
  readonly keys: { readonly private: string; readonly public: string };
  /** Whether the result is a list, which its tenant may have opened to everybody. */
  readonly lists: boolean;
}

/**
 * The question of a call whose result may be kept; undefined for all others, and for what continues an earlier round.
 * Tenant, releases, scopes, version, capabilities and parameters make it what it is.
 */
export function questionOf(call: PlacedCall): CacheQuestion | undefined {
  const { era, head, payload } = call.exchange;
  if (era !== 'modern' || head?.kind !== 'request' || head.method === undefined || !METHODS.has(head.method))
    return undefined;
  if (payload.length > LENGTH_MAX) return undefined;
  const { _meta, ...params } = (JSON.parse(payload.toString()) as { params: Record<string, unknown> }).params; // classified as a request of the 2026 era
  if ('requestState' in params || 'inputResponses' in params) return undefined;
  const meta = _meta as Readonly<Record<string, unknown>>; // classified as above
  const asked = [
    call.tenant.tenantId,
    call.route.key,
    call.principal.scopes.toSorted(),
    meta[VERSION],
    meta[CAPABILITIES] ?? {},
    head.method,
    params,
  ];
  const lists = head.method === 'server/discover' || head.method.endsWith('/list');
  return {
    tenantId: call.tenant.tenantId,
    keys: { private: digestOf(['private', call.principalBinding, ...asked]), public: digestOf(['public', ...asked]) },
    lists,
  };
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('base64url');
}
