import {
  Client,
  METHOD_NOT_FOUND,
  ProtocolError,
  type ClientCapabilities,
  type Notification,
} from '@modelcontextprotocol/client';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { CallerLink } from './caller-link.js';

/** Notifications of a server that its caller hears; its tools are pinned by the release, whatever it says later. */
const HEARD = new Set([
  'notifications/message',
  'notifications/resources/updated',
  'notifications/resources/list_changed',
  'notifications/prompts/list_changed',
  'notifications/elicitation/complete',
]);
const NOTIFICATIONS_PER_SECOND_MAX = 100;
/** Questions to a client that are open at once. */
const QUESTIONS_MAX = 32;
const TASKS = 'io.modelcontextprotocol/tasks';
const EXTENSIONS_MAX = 32;
const EXTENSIONS_CHARACTERS_MAX = 16_384;

/** How the SDK's client agrees with a server on an era. */
export type Negotiation = NonNullable<NonNullable<ConstructorParameters<typeof Client>[1]>['versionNegotiation']>;

/** The SDK's client for a server: it can do what the caller's client can, and passes on what the server asks and says. */
export function openClient(link: CallerLink | undefined, versionNegotiation: Negotiation): Client {
  const capabilities = passedOn(link?.capabilities ?? {});
  const client = new Client({ name: 'wharf', version: '1' }, { versionNegotiation, capabilities });
  client.fallbackRequestHandler = ({ method }) => {
    link?.lacks?.(method);
    const message = `The client of this call does not offer what ${method} needs.`;
    return Promise.reject(new ProtocolError(METHOD_NOT_FOUND, message));
  };
  if (link === undefined) return client;
  const asked = questionsTo(link);
  if (capabilities.sampling !== undefined)
    client.setRequestHandler('sampling/createMessage', asked('sampling/createMessage'));
  if (capabilities.elicitation !== undefined)
    client.setRequestHandler('elicitation/create', asked('elicitation/create'));
  if (capabilities.roots !== undefined) client.setRequestHandler('roots/list', asked('roots/list'));
  const passes = rateOf(NOTIFICATIONS_PER_SECOND_MAX);
  client.fallbackNotificationHandler = async (notification: Notification) => {
    if (HEARD.has(notification.method) && passes(Date.now())) link.notify(notification);
  };
  return client;
}

/** Passes a server's questions on; the caller's client checks them, and answers with a result of the kind or an error. */
function questionsTo(link: CallerLink) {
  let open = 0;
  return (method: string) =>
    async (request: { params?: unknown }, { mcpReq }: { mcpReq: { signal: AbortSignal } }): Promise<never> => {
      if (open >= QUESTIONS_MAX)
        throw new ProtocolError(
          ERROR_CATALOGUE.internal.jsonRpc,
          'Too many questions are open. Wait for their answers.',
        );
      open += 1;
      try {
        const params = { ...(request.params as object | undefined) };
        return (await link.request({ method, params }, mcpReq.signal)) as never; // a result of the kind that was asked for
      } finally {
        open -= 1;
      }
    };
}

/**
 * What of a client's capabilities a server may use through us. Of its extensions not tasks: clients of the 2026 era tell
 * of them in each request, and others have none.
 */
export function passedOn({ sampling, elicitation, roots, extensions }: ClientCapabilities): ClientCapabilities {
  const extended = boundedExtensions(extensions);
  return {
    ...(sampling === undefined ? {} : { sampling }),
    ...(elicitation === undefined ? {} : { elicitation }),
    ...(roots === undefined ? {} : { roots }),
    ...(extended === undefined ? {} : { extensions: extended }),
  };
}

/** None where there are too many to pass on. */
function boundedExtensions(extensions: ClientCapabilities['extensions']): ClientCapabilities['extensions'] {
  const named = Object.entries(extensions ?? {}).filter(([name]) => name !== TASKS);
  if (named.length === 0 || named.length > EXTENSIONS_MAX) return undefined;
  const passed = Object.fromEntries(named);
  return JSON.stringify(passed).length <= EXTENSIONS_CHARACTERS_MAX ? passed : undefined;
}

/** Whether one more may pass in this second. */
function rateOf(perSecond: number): (nowMs: number) => boolean {
  let second = 0;
  let count = 0;
  return (nowMs) => {
    const now = Math.floor(nowMs / 1_000);
    if (now !== second) [second, count] = [now, 0];
    count += 1;
    return count <= perSecond;
  };
}
