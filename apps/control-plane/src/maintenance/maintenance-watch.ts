import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { Logger } from '#libs/telemetry';
import type { ControlPlaneConfig } from '../config.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { CONFIG, LOGGER, TENANT_DATABASE } from '../platform/tokens.js';
import { MaintenanceRepository, type MaintenanceRow } from './maintenance.repository.js';

const FRESH_MS = 2_000;
const OPERATORS = '/admin/';

/** Knows whether the platform, or the region that this service is of, is in maintenance, as it was two seconds ago at most. */
@Injectable()
export class MaintenanceWatch {
  #known: readonly MaintenanceRow[] = [];
  #lookedAtMs = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(MaintenanceRepository) private readonly maintenance: MaintenanceRepository,
    @Inject(CONFIG) private readonly config: Pick<ControlPlaneConfig, 'WHARF_REGION'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The maintenance that goes on here, that of everything before that of the region. Where the database cannot say, what was known counts on. */
  async find(): Promise<MaintenanceRow | undefined> {
    if (performance.now() - this.#lookedAtMs >= FRESH_MS) {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
      await this.#looking;
    }
    return this.#known.find(({ until }) => until.getTime() > Date.now());
  }

  /** Looks again at the next request. */
  forget(): void {
    this.#lookedAtMs = -Infinity;
  }

  /** Refuses changes by anybody but operators while it goes on. @throws AppError unavailable */
  async refuseChanges({ method, path }: Pick<ManagedRequest, 'method' | 'path'>): Promise<void> {
    if (method === 'GET' || path.startsWith(OPERATORS)) return;
    const going = await this.find();
    if (going === undefined) return;
    throw new AppError('unavailable', {
      message: `${going.region === null ? 'The platform' : `The region ${going.region}`} is being maintained: ${going.message} Reading works; change things after ${going.until.toISOString()}.`,
      retryAfterSeconds: Math.max(1, Math.ceil((going.until.getTime() - Date.now()) / 1_000)),
    });
  }

  async #look(): Promise<void> {
    try {
      const rows = await this.database.asService((tx) => this.maintenance.list(tx));
      this.#known = rows.filter(({ region }) => region === null || region === this.config.WHARF_REGION);
    } catch (error) {
      this.logger.warn({ err: error }, 'whether there is maintenance could not be looked up');
    }
    this.#lookedAtMs = performance.now();
  }
}
