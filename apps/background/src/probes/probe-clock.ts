import { unlessAway, type Database } from '#libs/database';
import { enqueue, runProbesJob } from '#libs/jobs';
import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 5_000;
const SERVERS_MAX = 200;

/** A server with probes that are due. */
interface DueServer {
  readonly tenantId: string;
  readonly serverId: string;
}

/**
 * Turns probes that are due into jobs. When a probe is due next stands in its row, and is moved on in the transaction
 * that writes the job: a restart loses no run, several clocks make none twice, and a probe that missed runs while
 * nothing worked runs once.
 */
export class ProbeClock {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.tick(),
    onFailed: (error) => this.logger.warn({ err: error }, 'probes that are due could not be found; trying again'),
  });

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /** Looks every five seconds. */
  start(): void {
    this.#rounds.start();
  }

  /** Ends after the look in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Makes jobs of what is due; returns how many. */
  async tick(): Promise<number> {
    const found = await this.database.everywhere((tx): Promise<DueServer[]> =>
      tx.query(
        `select tenant_id as "tenantId", server_id as "serverId" from probes where enabled and due_at <= now()
         group by tenant_id, server_id order by min(due_at) limit $1`,
        [SERVERS_MAX],
      ),
    );
    let jobs = 0;
    for (const server of found.flat()) {
      if (this.#rounds.signal.aborted) break;
      jobs += (await unlessAway(this.#enqueue(server))) ?? 0;
    }
    return jobs;
  }

  /** Moves the server's due probes on and writes one job for them, unless one of before still waits or nothing is live. */
  async #enqueue({ tenantId, serverId }: DueServer): Promise<number> {
    return this.database.asTenant(tenantId, async (tx) => {
      const [moved]: [Array<{ id: string }>] = await tx.query(
        `update probes set due_at = now() + make_interval(secs => every_seconds)
         where tenant_id = $1 and server_id = $2 and enabled and due_at <= now() returning id`,
        [tenantId, serverId],
      );
      const ready: unknown[] = await tx.query(
        `select from servers s join tenants t on t.id = s.tenant_id and t.status = 'active'
         where s.tenant_id = $1 and s.id = $2 and s.live_release_id is not null and not exists (
           select from outbox o where o.tenant_id = $1 and o.name = $3 and o.completed_at is null
             and o.payload ->> 'serverId' = s.id::text and o.payload ->> 'cause' = 'schedule')`,
        [tenantId, serverId, runProbesJob.name],
      );
      if (moved.length === 0 || ready.length === 0) return 0;
      const probeIds = moved.map(({ id }) => id);
      await enqueue(tx, tenantId, runProbesJob, { tenantId, serverId, probeIds, cause: 'schedule' });
      return 1;
    });
  }
}
