import { z } from 'zod';
import { newId } from '#libs/database';
import { enqueue, startRolloutJob, watchRolloutJob } from '#libs/jobs';
import { findRollout, type Rollout } from '#libs/rollouts';
import { createLogger } from '#libs/telemetry';
import { JobRunner } from '../../jobs/job-runner.js';
import { RunProbes } from '../../probes/run-probes.js';
import { ProbeRunner } from '../../probes/probe-runner.js';
import { manifestOf, openWorkplace, type TestServer, type Workplace } from '../../workplace.fixture.js';
import { KeepWarm } from './keep-warm.js';
import { StartRollout } from './start-rollout.js';
import { WatchRollout } from './watch-rollout.js';

/** A rollout that has begun. */
export interface Begun extends TestServer {
  readonly id: string;
  readonly stable: string;
  readonly candidate: string;
}

/** One run of a probe: on which release, whether it passed, and which answer it had. */
export type ProbeRun = readonly [releaseId: string, passed: boolean, answer?: string];

/** What the jobs of rollouts carried in 0.1.0, which refused anything else. */
const OLD_PAYLOAD = z.strictObject({ tenantId: z.uuid(), rolloutId: z.uuid() });

/** Rollouts and the jobs that carry them, on stores and a runtime of their own. */
export class RolloutsUnderTest {
  private constructor(
    readonly place: Workplace,
    private readonly runner: JobRunner,
  ) {}

  static async open(): Promise<RolloutsUnderTest> {
    const place = await openWorkplace();
    const logger = createLogger('background', 'silent');
    const announcer = { announce: async (): Promise<void> => undefined };
    const { background, client, supplier } = place;
    const probes = new ProbeRunner(background, client, supplier);
    const start = new StartRollout({ database: background, runtime: client, supplier, announcer, probes });
    const watch = new WatchRollout(background, announcer, new KeepWarm(background, client, logger));
    return new RolloutsUnderTest(
      place,
      new JobRunner(background, [start, watch, new RunProbes(background, probes)], logger),
    );
  }

  /** A rollout as the management API leaves it behind. */
  async begin(strategy: string, candidateManifest = manifestOf('one', 'two')): Promise<Begun> {
    const server = await this.place.newServer();
    const stable = await this.place.newRelease(server, manifestOf('one'));
    const candidate = await this.place.newRelease(server, candidateManifest);
    const [id, { tenantId, serverId }] = [newId(), server];
    await this.place.control.asTenant(tenantId, async (tx) => {
      await tx.query(`update releases set state = case id when $1 then 'live' else 'candidate' end`, [stable]);
      await tx.query(`update servers set live_release_id = $1`, [stable]);
      await tx.query(
        `insert into rollouts (tenant_id, id, server_id, stable_release_id, candidate_release_id, strategy, steps,
           drain_seconds, tools, read_only_tools, state, created_by)
         values ($1, $2, $3, $4, $5, $6, '[{"percent": 100, "seconds": 1}]', 0, '{one}', '{}', 'checking', '{}')`,
        [tenantId, id, serverId, stable, candidate, strategy],
      );
      await enqueue(tx, tenantId, startRolloutJob, { tenantId, rolloutId: id });
    });
    return { ...server, id, stable, candidate };
  }

  async openJobs({ tenantId }: Begun): Promise<Array<{ id: string; name: string }>> {
    return this.place.background.asTenant(tenantId, (tx) =>
      tx.query(`select id, name from outbox where tenant_id = $1 and completed_at is null order by id`, [tenantId]),
    );
  }

  /** Runs every open job twice at once. */
  async runTwice(begun: Begun): Promise<void> {
    const keys = (await this.openJobs(begun)).map(({ id }) => ({ tenantId: begun.tenantId, id }));
    await Promise.all(keys.flatMap((key) => [this.runner.run(key, 'last'), this.runner.run(key, 'last')]));
  }

  /** Has a background of 0.1.0 take every open job; returns how each run ended. What it would have done is counted by `did`. */
  async runByLastRelease(begun: Begun, did: () => void): Promise<string[]> {
    const { background } = this.place;
    const handlers = [startRolloutJob, watchRolloutJob].map(({ name }) => ({
      definition: { ...startRolloutJob, name, payload: OLD_PAYLOAD },
      run: async () => did(),
      giveUp: async () => did(),
    }));
    const old = new JobRunner(background, handlers, createLogger('background', 'silent'));
    const runs = (await this.openJobs(begun)).map(({ id }) => old.run({ tenantId: begun.tenantId, id }, 'more-left'));
    return (await Promise.all(runs)).map(({ outcome }) => outcome);
  }

  /** Leaves open jobs as 0.1.0 writes them. */
  async asLastReleaseWrote({ tenantId }: Begun): Promise<void> {
    await this.place.background.asTenant(tenantId, (tx) =>
      tx.query(`update outbox set payload = payload - 'rules' where tenant_id = $1 and completed_at is null`, [
        tenantId,
      ]),
    );
  }

  /** Runs the look that is open, and no probes. */
  async look(begun: Begun): Promise<void> {
    const looks = (await this.openJobs(begun)).filter(({ name }) => name === 'watch-rollout');
    for (const { id } of looks) await this.runner.run({ tenantId: begun.tenantId, id }, 'last');
  }

  /** The step's time goes on by so many seconds. */
  async passed({ tenantId, id }: Begun, seconds: number): Promise<void> {
    await this.place.background.asTenant(tenantId, (tx) =>
      tx.query(`update rollouts set step_started_at = step_started_at - make_interval(secs => $2) where id = $1`, [
        id,
        seconds,
      ]),
    );
  }

  async stateOf({ tenantId, id }: Begun): Promise<Rollout> {
    const rollout = await this.place.background.asTenant(tenantId, (tx) => findRollout(tx, tenantId, id));
    if (rollout === undefined) throw new Error('the rollout is gone');
    return rollout;
  }

  /** What the audit log, and with it webhooks, were told of the tenant's rollouts. */
  async told({ tenantId }: Begun, event: string): Promise<Array<{ outcome: string; details: unknown }>> {
    return this.place.background.asTenant(tenantId, (tx) =>
      tx.query(`select outcome, details from audit_records where event = $1 and tenant_id = $2`, [event, tenantId]),
    );
  }

  async sampled({ tenantId, id }: Begun, releaseId: string, errors: number): Promise<void> {
    const gateway = await this.place.asGateway();
    await gateway.asTenant(tenantId, (tx) =>
      tx.query(
        `insert into rollout_samples select $1, $2, step, $3, 'one', 100, $4, 0, 0, 0, 0, '{100}' from rollouts where id = $2`,
        [tenantId, id, releaseId, errors],
      ),
    );
  }

  /** Keeps results of a probe that the server has had since the step began, one run after another; returns the probe's id. */
  async probed(begun: Begun, runs: readonly ProbeRun[]): Promise<string> {
    const { tenantId, serverId, id } = begun;
    const probe = newId();
    await this.place.control.asTenant(tenantId, (tx) =>
      tx.query(
        `insert into probes (tenant_id, id, server_id, name, tool, arguments, expect, allow_effects)
         values ($1, $2, $3, 'finds books', 'one', '{}', '{}', false)`,
        [tenantId, probe, serverId],
      ),
    );
    await this.place.background.asTenant(tenantId, (tx) =>
      tx.query(`update rollouts set step_started_at = now() - interval '10 seconds' where id = $1`, [id]),
    );
    await this.ran(begun, probe, runs);
    return probe;
  }

  async ran({ tenantId }: Begun, probe: string, runs: readonly ProbeRun[]): Promise<void> {
    await this.place.background.asTenant(tenantId, async (tx) => {
      for (const [releaseId, passed, answer = 'alike'] of runs)
        await tx.query(
          `insert into probe_results (tenant_id, id, probe_id, release_id, job_id, cause, passed, reason, latency_ms,
             result_digest, diverged)
           values ($1, $2, $3, $4, $2, 'schedule', $5, case when not $5 then 'no books' end, 1, $6, false)`,
          [tenantId, newId(), probe, releaseId, passed, answer],
        );
    });
  }
}
