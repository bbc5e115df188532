import type { Notification, Result } from '@modelcontextprotocol/client';
import type { CallerLink } from './caller-link.js';
import type { Peer } from './peer.js';

/** How long a list holds that its server would tell of, were it another. */
export const LIST_TTL_MS = 60_000;
/** Methods that list, and the capability in which a server says that it tells of changes. */
const LISTS: Readonly<Record<string, 'prompts' | 'resources'>> = {
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resources',
};

/**
 * A server's list as it is for a client of the 2026 era, with how long it holds. A server of the 2025 era does not say; where
 * it announces changes (`listChanged`), and they are heard, the list holds until then, a minute at most. Every other list of
 * such a server is asked for each time.
 */
export function timed(
  method: string,
  answer: Result,
  { era, capabilities }: Pick<Peer, 'era' | 'capabilities'>,
  changes: 'heard' | 'unheard',
): Result {
  const list = LISTS[method];
  const announced = list !== undefined && capabilities[list]?.listChanged === true;
  if (era === 'modern' || !announced || changes === 'unheard') return answer;
  return { ...answer, ttlMs: LIST_TTL_MS, cacheScope: 'private' };
}

/** A link by which it is heard, before its client hears of it, that what a server lists or gives to read has changed. */
export function heardBy(link: CallerLink | undefined, onChanged: () => void): CallerLink | undefined {
  if (link === undefined) return undefined;
  return {
    capabilities: link.capabilities,
    request: (...asked) => link.request(...asked),
    lacks: (method) => link.lacks?.(method),
    notify: (notification) => {
      if (tellsOfChange(notification)) onChanged();
      link.notify(notification);
    },
  };
}

function tellsOfChange({ method }: Notification): boolean {
  return method.endsWith('/list_changed') || method === 'notifications/resources/updated';
}
