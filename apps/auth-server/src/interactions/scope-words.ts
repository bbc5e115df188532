import { EVERYTHING, READ_EVERYWHERE } from '#libs/identity';
import type { Target } from '../access/resource-access.js';
import type { Texts } from '../texts/en.js';

const TOOLS_NAMED = 20;

/** What a scope allows at a target, in words for the person who is asked. */
export function scopeWords(scope: string, { servers }: Target, { scopes: words }: Texts): string {
  if (scope === 'management') return words.management;
  if (scope === EVERYTHING) return words.everything;
  if (scope === READ_EVERYWHERE) return words.readEverywhere;
  const [slug = '', name = ''] = scope.split(':');
  if (name === 'read') return words.read(slug);
  if (name === 'write') return words.write(slug);
  const tools = servers.find((server) => server.slug === slug)?.groups[name] ?? [];
  return words.group(name, slug, tools.slice(0, TOOLS_NAMED).join(', '), Math.max(0, tools.length - TOOLS_NAMED));
}
