import type { PersonLogins } from '#libs/connections';
import type { Database } from '#libs/database';
import type { RuntimeClient } from '#libs/protocol';
import type { RedisStore } from '#libs/redis';
import { TenantVault } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import type { ToolScopes } from './access/tool-scopes.js';
import { StateDesk } from './call-states/state-desk.js';
import type { GatewayConfig } from './config.js';
import { DocumentDoor } from './documents/document-door.js';
import { RedisRoom } from './kept-results/redis-room.js';
import { ResultDesk } from './kept-results/result-desk.js';
import { ResultStore } from './kept-results/result-store.js';
import { OldSessions } from './old-transport/old-sessions.js';
import { ListChanges } from './open-streams/list-changes.js';
import { ListPrints } from './open-streams/list-prints.js';
import { OpenStreams } from './open-streams/open-streams.js';
import { Resumption } from './open-streams/resumption.js';
import type { StillAllowed } from './open-streams/stream-watch.js';
import type { ResultCache } from './result-cache/result-cache.js';
import type { RouteTable } from './routing/route-table.js';
import type { Sessions } from './sessions/sessions.js';
import { EventStore } from './streams/event-store.js';
import { TenantKeys } from './streams/tenant-keys.js';

/** What streams stand on. */
export interface StreamGround {
  readonly config: GatewayConfig;
  readonly database: Database;
  /** For questions about documents alone. */
  readonly questions: Database;
  readonly redis: RedisStore;
  /** For kept results alone. */
  readonly resultRedis: RedisStore;
  readonly logger: Logger;
  readonly toolScopes: ToolScopes;
  /** Lists that are kept until documents change. */
  readonly lists: Pick<ResultCache, 'forget'>;
  readonly logins: PersonLogins;
  readonly runtime: RuntimeClient;
  readonly routes: RouteTable;
  readonly sessions: Sessions;
  readonly stillAllowed: StillAllowed;
  readonly stopping: AbortSignal;
}

const EVENTS_OF_SESSION = { events: 256, bytes: 512 * 1_024 };
/** All answers of such a session pass through here. */
const EVENTS_OF_OLD_SESSION = { events: 256, bytes: 4 * 1_024 * 1_024 };

/** Builds what keeps streams, goes on with them, and holds them open. */
export function buildStreamRooms({
  config,
  database,
  questions,
  redis,
  routes,
  lists,
  logins,
  ...shared
}: StreamGround) {
  const tenantKeys = new TenantKeys(database, new TenantVault(config.WHARF_MASTER_KEY));
  const seconds = Math.ceil(config.WHARF_CALL_TIMEOUT_MAX_MS / 1_000) + 60;
  const events = new EventStore(redis, tenantKeys, { ...EVENTS_OF_SESSION, seconds });
  const store = new EventStore(redis, tenantKeys, { ...EVENTS_OF_OLD_SESSION, seconds });
  const callTimes = { timeoutMs: config.WHARF_CALL_TIMEOUT_MS, timeoutMaxMs: config.WHARF_CALL_TIMEOUT_MAX_MS };
  const listChanges = new ListChanges(routes);
  const resumption = new Resumption(events);
  const { resultRedis, logger } = shared;
  const room = new RedisRoom(resultRedis, logger, config.WHARF_KEPT_RESULT_BYTES_MAX);
  void room.bytes(); // says at once where Redis is too small
  const results = new ResultDesk({
    store: new ResultStore(resultRedis, tenantKeys),
    room,
    tools: shared.toolScopes,
    seconds: config.WHARF_KEPT_RESULT_SECONDS,
  });
  const states = new StateDesk({ redis, keys: tenantKeys, logins });
  const onWritten = (tenantId: string): void => lists.forget(tenantId);
  const documents = new DocumentDoor(questions, { results, states, onWritten });
  const listPrints = new ListPrints(database);
  const streams = new OpenStreams({ ...shared, documents, resumption, listChanges, listPrints });
  const oldSessions = new OldSessions({ ...shared, documents, store, callTimes });
  const close = (): void => {
    events.close();
    store.close();
  };
  return { tenantKeys, documents, resumption, streams, oldSessions, listChanges, callTimes, close };
}
