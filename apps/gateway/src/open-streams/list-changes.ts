import type { Envelope, RouteBinding } from '#libs/protocol';
import { withoutServers } from '../access/server-people.js';
import type { PlacedCall } from '../sessions/place.js';
import type { ListDifference } from './list-prints.js';
import type { RouteTable } from '../routing/route-table.js';

/** What a listener was promised (`notifications/subscriptions/acknowledged`), and what it is told then. */
const NOTIFICATIONS = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
} as const;
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

/** Tells open streams of the 2026 era when another release serves their URL. Every gateway hears of it and tells its own. */
export class ListChanges {
  readonly #watchers = new Map<string, Set<() => void>>();

  constructor(private readonly routes: Pick<RouteTable, 'choose' | 'route'>) {}

  /** The tenant's rows changed; `*` for every tenant's. */
  tell(tenantId: string): void {
    for (const [watched, watchers] of this.#watchers)
      if (tenantId === '*' || tenantId === watched) for (const watcher of watchers) watcher();
  }

  /** Fires when the call's URL is served by another route than this, or by none. */
  watch(call: PlacedCall, route: RouteBinding): { readonly signal: AbortSignal; readonly done: () => void } {
    const moved = new AbortController();
    const { tenantId } = call.tenant;
    const look = (): void => {
      void this.placeOf(call).then((now) => {
        if (now?.route.key !== route.key) moved.abort();
      });
    };
    const watchers = this.#watchers.get(tenantId) ?? new Set();
    this.#watchers.set(tenantId, watchers.add(look));
    look(); // of what changed since the call was routed, nobody tells any more
    const done = (): void => {
      watchers.delete(look);
      if (watchers.size === 0 && this.#watchers.get(tenantId) === watchers) this.#watchers.delete(tenantId);
    };
    return { signal: moved.signal, done };
  }

  /** What serves the call's URL now, as its envelope names it; undefined where nothing does. */
  async placeOf(call: PlacedCall): Promise<Pick<Envelope, 'route' | 'contextVersion'> | undefined> {
    return this.routes.route(call).then(
      (routed) => ({
        route: withoutServers(this.routes.choose(routed, call.principalBinding), call.closedServers),
        contextVersion: routed.tenant.contextVersion,
      }),
      () => undefined,
    );
  }
}

/** The messages that a listener who was acknowledged so is sent when these of its lists have changed. */
export function changeMessages(acknowledged: Buffer, { tools, offers }: ListDifference): Buffer[] {
  const { notifications = {}, _meta } = paramsOf(acknowledged);
  const meta = { [SUBSCRIPTION]: _meta?.[SUBSCRIPTION] };
  return Object.entries(NOTIFICATIONS)
    .filter(([name]) => notifications[name] === true && (name === 'toolsListChanged' ? tools : offers))
    .map(([, method]) => Buffer.from(JSON.stringify({ jsonrpc: '2.0', method, params: { _meta: meta } })));
}

/** What ends a listener's stream for good (MCP 2026-07-28, subscriptions). */
export function endMessage({ exchange }: PlacedCall, acknowledged: Buffer): Buffer {
  const meta = { [SUBSCRIPTION]: paramsOf(acknowledged)._meta?.[SUBSCRIPTION] };
  const result = { resultType: 'complete', _meta: meta };
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: exchange.head?.id, result }));
}

/** Whether a worker's message is the first of a listener's stream. */
export function isAcknowledgement(message: Buffer): boolean {
  return message.includes('"notifications/subscriptions/acknowledged"');
}

interface Acknowledgement {
  readonly notifications?: Readonly<Record<string, unknown>>;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

function paramsOf(acknowledged: Buffer): Acknowledgement {
  const { params } = JSON.parse(acknowledged.toString()) as { params?: Acknowledgement }; // a worker's first message to a listener
  return params ?? {};
}
