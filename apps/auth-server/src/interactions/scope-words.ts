import { EVERYTHING, READ_EVERYWHERE } from '#libs/identity';
import type { Target } from '../access/resource-access.js';

const TOOLS_NAMED = 20;

/** What a scope allows at a target, in words for the person who is asked. */
export function scopeWords(scope: string, { servers }: Target): string {
  if (scope === 'management') {
    return 'Manage this tenant through the management API within your role: servers, releases, secrets and keys.';
  }
  if (scope === EVERYTHING) {
    return 'Everything that the tenant offers here, now and later: read, and change or delete things where tools can.';
  }
  if (scope === READ_EVERYWHERE) return 'Read: call the tools that change nothing, at every server behind this URL.';
  const [slug = '', name = ''] = scope.split(':');
  if (name === 'read') return `Read at ${slug}: call its tools that change nothing.`;
  if (name === 'write')
    return `Read and write at ${slug}: call all its tools, also those that change or delete things.`;
  const tools = servers.find((server) => server.slug === slug)?.groups[name] ?? [];
  const rest = tools.length > TOOLS_NAMED ? ` and ${tools.length - TOOLS_NAMED} more` : '';
  return `“${name}” at ${slug}: call ${tools.slice(0, TOOLS_NAMED).join(', ')}${rest}, whatever they change.`;
}
