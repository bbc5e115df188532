import type { CallToolResult } from '@modelcontextprotocol/server';
import type { ToolDefinition } from '#libs/protocol';

/** Where a result says with which arguments the next page comes. */
export const NEXT_PAGE_META = 'wharf/nextPage';

const LINK_CHARACTERS_MAX = 8_192;
const LINK = /<([^<>\s]{1,4096})>([^<]{0,1024})/g;
const NEXT = /;\s*rel\s*=\s*"?[^";]*\bnext\b/i;

type Arguments = Readonly<Record<string, unknown>>;

/**
 * A result with the arguments of the next page, where its answer names one (`Link: <…>; rel="next"`, RFC 8288) that this
 * tool can ask for: at the same origin, with other values of its own arguments and of nothing else.
 */
export function withNextPage(
  result: CallToolResult,
  { headers }: { readonly headers: Readonly<Record<string, string>> },
  { http, inputSchema }: ToolDefinition,
  given: Arguments,
): CallToolResult {
  const next = result.isError === true ? undefined : nextLink(headers['link'] ?? '');
  if (next === undefined || http.method !== 'GET') return result;
  const changed = changedArguments(next, { http, inputSchema }, given);
  if (changed === undefined) return result;
  const text = `There is more. For the next page, call again with ${JSON.stringify(changed)} and all else the same.`;
  return {
    ...result,
    content: [...result.content, { type: 'text', text }],
    _meta: { ...result._meta, [NEXT_PAGE_META]: { arguments: changed } },
  };
}

function nextLink(header: string): string | undefined {
  for (const [, target, parameters = ''] of header.slice(0, LINK_CHARACTERS_MAX).matchAll(LINK))
    if (target !== undefined && NEXT.test(parameters)) return target;
  return undefined;
}

/** The arguments whose values the next page's URL has otherwise; undefined where it changes anything else, or nothing. */
function changedArguments(
  next: string,
  { http, inputSchema }: Pick<ToolDefinition, 'http' | 'inputSchema'>,
  given: Arguments,
): Arguments | undefined {
  const base = new URL(http.urlTemplate.replaceAll(/\{[^{}]*\}/g, 'x'));
  const url = URL.parse(next, base.href);
  if (url === null || url.origin !== base.origin) return undefined;
  const changed: Record<string, unknown> = Object.create(null);
  for (const [name, value] of url.searchParams) {
    if (base.searchParams.get(name) === value) continue;
    const placement = http.placements.find((place) => place.in === 'query' && place.name === name);
    if (placement === undefined) return undefined;
    const { argument, style } = placement;
    const before = Object.hasOwn(given, argument) ? given[argument] : undefined;
    if (style !== undefined || typeof before === 'object') continue;
    if (before === undefined || String(before) !== value) changed[argument] = valueFor(inputSchema, argument, value);
  }
  return Object.keys(changed).length === 0 ? undefined : { ...changed };
}

/** A value as the argument's schema has it: numbers are none of text. */
function valueFor(schema: ToolDefinition['inputSchema'], argument: string, value: string): unknown {
  const properties = schema['properties'];
  const property: unknown =
    typeof properties === 'object' && properties !== null
      ? Object.getOwnPropertyDescriptor(properties, argument)?.value
      : undefined;
  const type: unknown = typeof property === 'object' && property !== null ? Reflect.get(property, 'type') : undefined;
  const number = Number(value);
  return (type === 'integer' || type === 'number') && Number.isFinite(number) ? number : value;
}
