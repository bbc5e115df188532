import type { RuntimeClient } from '#libs/protocol';
import type { RouteTable } from '../routing/route-table.js';
import { serversGuard } from '../result-guards/servers-guard.js';
import { lookMessage } from './task-messages.js';
import type { KeptTask } from './task-store.js';

const LOOK_MS = 20_000;

/** The servers that tasks run in, as the platform itself asks them. */
export class TaskServers {
  constructor(
    private readonly runtime: RuntimeClient,
    private readonly routes: Pick<RouteTable, 'getTenant'>,
  ) {}

  /** What the task's server says; undefined when it did not come to an answer, or its tenant serves nothing now. */
  async ask({ tenantSlug, tenantId, route, principal, taskId, tool }: KeptTask): Promise<Buffer | undefined> {
    const tenant = await this.routes.getTenant(tenantSlug);
    if (tenant.tenantId !== tenantId || tenant.status === 'suspended' || tenant.elsewhere !== undefined)
      return undefined;
    const { contextVersion } = tenant;
    const guard = serversGuard(tenant, [tool.serverSlug]);
    const envelope = {
      route,
      era: 'modern',
      operation: 'message',
      principal,
      deadlineMs: Date.now() + LOOK_MS,
      contextVersion,
      ...(guard === undefined ? {} : { guard }),
    } as const;
    return new Promise((resolve) => {
      this.runtime.call(envelope, lookMessage(taskId), {
        onPart: () => undefined,
        onDone: (message) => resolve(message),
        onFail: () => resolve(undefined),
      });
    });
  }
}
