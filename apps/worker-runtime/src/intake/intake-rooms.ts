import type { Secret } from '#libs/config';
import type { BreakerChange, DriftHint, Eviction, FrameFailure, UpstreamState, UpstreamsOf } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import type { DrainSwitch } from '../operation/drain-switch.js';
import type { OperationDesk } from '../operation/operation-desk.js';
import type { ListNews } from '../egress/list-news.js';
import type { ReleaseBuilds } from '../sessions/release-builds.js';
import type { WorkerPool } from '../sessions/worker-pool.js';
import type { TenantSupplies } from './tenant-supplies.js';

/** What callers' frames are answered with. */
export interface IntakeRooms {
  readonly runtimeId: string;
  readonly intakeKey: Secret;
  readonly pool: WorkerPool;
  readonly builds: ReleaseBuilds;
  readonly supplies: TenantSupplies;
  /** What a tenant's call fails with while there are too many, if it does. */
  readonly refuses: (tenantId: string) => FrameFailure | undefined;
  /** Ends and forgets everything of a tenant. */
  readonly evict: (tenantId: string, why: Eviction) => void;
  /** How a tenant's upstreams are doing. */
  readonly upstreams: (tenantId: string, origins: readonly string[], wanted?: UpstreamsOf) => readonly UpstreamState[];
  /** What servers say of their lists, for every caller. */
  readonly listNews: ListNews;
  /** Which releases met what was not approved, since last asked. */
  readonly driftHints: () => readonly DriftHint[];
  /** Which breakers have opened or closed, since last asked. */
  readonly breakerChanges: () => readonly BreakerChange[];
  /** Does what operators ask of this runtime. */
  readonly desk: OperationDesk;
  readonly drain: DrainSwitch;
  readonly logger: Logger;
}
