import { checkDriftJob, enqueue } from '#libs/jobs';
import { createLogger } from '#libs/telemetry';
import { JobRunner, type RunResult } from '../jobs/job-runner.js';
import { openWorkplace, type TestServer } from '../workplace.fixture.js';
import type { ChangingUpstream } from './changing-upstream.fixture.js';
import { CheckDrift } from './check-drift.js';
import { DriftClock } from './drift-clock.js';
import type { DriftPolicy } from './watched-server.js';

/** A candidate as the tests look at it. */
export interface SeenCandidate {
  readonly id: string;
  readonly state: string;
  readonly effect: string | null;
  readonly reason: string | null;
  readonly release_id: string | null;
  readonly rollout_id: string | null;
  readonly problems: ReadonlyArray<{ readonly pointer: string }> | null;
  readonly summary: { readonly tools: object } | null;
}

/** A workplace with the drift room's job and clock. */
export async function openDriftPlace() {
  const place = await openWorkplace();
  const { background: database, client: runtime, supplier } = place;
  const logger = createLogger('background', 'silent');
  const parts = { database, runtime, supplier };
  const runner = new JobRunner(database, [new CheckDrift(parts)], logger);
  const rows = <Row>({ tenantId }: TestServer, sql: string): Promise<Row[]> =>
    database.asTenant(tenantId, (tx) => tx.query(sql));

  return {
    ...place,
    runner,
    rows,
    clock: new DriftClock({ ...parts, logger, everySeconds: 3_600 }),
    clockIn: (region: string) => new DriftClock({ ...parts, logger, everySeconds: 3_600, region }),

    /** A server whose live release is what these upstreams list now. */
    async publishRemote(upstreams: Readonly<Record<string, ChangingUpstream>>, policy: DriftPolicy, version?: string) {
      const server = await place.newServer();
      const { tenantId, serverId } = server;
      for (const { port } of Object.values(upstreams)) await place.allow(tenantId, port);
      const source = { kind: 'remote', upstreams: Object.entries(upstreams).map(([name, { url }]) => ({ name, url })) };
      const built = await runtime.build({
        tenantId,
        serverSlug: 'shop',
        source: Buffer.from(JSON.stringify(source)),
        deadlineMs: Date.now() + 30_000,
        upstreams: true,
      });
      const releaseId = await place.newRelease(server, built.manifest.toString(), version);
      await place.control.asTenant(tenantId, async (tx) => {
        await tx.query(`update releases set state = 'live', kind = 'remote', source = $2 where id = $1`, [
          releaseId,
          JSON.stringify(source),
        ]);
        await tx.query(`update servers set live_release_id = $1`, [releaseId]);
        await tx.query(`insert into drift_watches (tenant_id, server_id, policy, due_at) values ($1, $2, $3, now())`, [
          tenantId,
          serverId,
          policy,
        ]);
      });
      return { ...server, releaseId, digest: built.digest };
    },

    /** Looks once at a server's upstreams. */
    async look({ tenantId, serverId }: TestServer): Promise<RunResult> {
      const id = await place.control.asTenant(tenantId, (tx) =>
        enqueue(tx, tenantId, checkDriftJob, { tenantId, serverId }),
      );
      return runner.run({ tenantId, id }, 'more-left');
    },

    candidates: (server: TestServer) =>
      rows<SeenCandidate>(
        server,
        `select id, state, effect, reason, release_id, rollout_id, problems, summary from drift_candidates order by id`,
      ),

    events: async (server: TestServer) =>
      (await rows<{ event: string }>(server, `select event from audit_records order by id`)).map(({ event }) => event),

    freeze: ({ tenantId, serverId }: TestServer, freeze: object | null) =>
      place.control.asTenant(tenantId, (tx) =>
        tx.query(`update servers set release_schedule = $2 where id = $1`, [
          serverId,
          JSON.stringify({ windows: [], freeze }),
        ]),
      ),
  };
}

/** The place of one test file. */
export type DriftPlace = Awaited<ReturnType<typeof openDriftPlace>>;
