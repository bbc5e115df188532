import type { Database } from '#libs/database';
import type { RuntimeClient } from '#libs/protocol';
import { TenantVault } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import type { GatewayConfig } from '../config.js';
import type { RouteTable } from '../routing/route-table.js';
import { KeptTasks } from './kept-tasks.js';
import { TaskServers } from './task-servers.js';
import { TaskStore } from './task-store.js';
import { TaskWatch } from './task-watch.js';

/** What tasks stand on. */
export interface TaskGround {
  readonly config: GatewayConfig;
  readonly database: Database;
  readonly runtime: RuntimeClient;
  readonly logger: Logger;
}

/** Builds what keeps tasks, and what looks after those that run. */
export function buildTaskRooms({ config, database, runtime, logger }: TaskGround, routes: RouteTable) {
  const store = new TaskStore(database, new TenantVault(config.WHARF_MASTER_KEY));
  const servers = new TaskServers(runtime, routes);
  const tasks = new KeptTasks(store, servers, logger);
  return { tasks, taskWatch: new TaskWatch({ store, tasks, servers, logger }) };
}
