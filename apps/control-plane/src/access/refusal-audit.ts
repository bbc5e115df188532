import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { appendAudit, UnplacedRefusals } from '#libs/audit';
import type { Database } from '#libs/database';
import type { AppError } from '#libs/errors';
import { LocalRate } from '#libs/limits';
import type { Logger } from '#libs/telemetry';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import type { Claim, ManagedRequest } from '../edge/managed-request.js';
import { LOGGER, TENANT_DATABASE } from '../platform/tokens.js';

const TENANTS_MAX = 10_000;
const OPERATORS = '/admin/';
/** Whoever knows a tenant's id can have refusals written to its log, so they are few. */
const RECORDED = { perMinute: 60, burst: 60 };

/**
 * Records refused management requests in the log of the tenant that their credentials name. Beyond sixty a minute they
 * are counted, and the next record says how many are missing.
 */
@Injectable()
export class RefusalAudit implements OnModuleDestroy {
  readonly #rate = new LocalRate();
  readonly #unplaced: UnplacedRefusals;
  readonly #unrecorded = new LRUCache<string, number>({ max: TENANTS_MAX });

  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(CredentialsRepository) private readonly credentials: CredentialsRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#unplaced = new UnplacedRefusals({ database, logger });
  }

  async onModuleDestroy(): Promise<void> {
    await this.#unplaced.stop();
  }

  /** Leaves a record where a tenant is known, and counts for the platform's log where none is; what cannot be recorded is refused all the same. */
  async record(request: ManagedRequest, error: AppError): Promise<void> {
    const { claim } = request;
    if (claim === undefined) return this.#noteUnplaced(request, error);
    const unrecorded = this.#unrecorded.get(claim.tenantId) ?? 0;
    if (this.#rate.take(claim.tenantId, RECORDED) > 0) {
      this.#unrecorded.set(claim.tenantId, unrecorded + 1);
      return;
    }
    this.#unrecorded.delete(claim.tenantId);
    try {
      await this.#append(request, claim, { error, unrecorded });
    } catch (failure) {
      this.logger.warn({ err: failure, tenant_id: claim.tenantId }, 'a refused request could not be recorded');
    }
  }

  /** Counts a refusal that is nobody's for the platform's log. */
  noteUnknown(rule: string, sourceAddress: string): void {
    this.#unplaced.note(rule, sourceAddress);
  }

  #noteUnplaced({ path, origin }: ManagedRequest, { code }: AppError): void {
    this.#unplaced.note(`${path.startsWith(OPERATORS) ? 'operators' : 'management'}.${code}`, origin.sourceAddress);
  }

  async #append(
    request: ManagedRequest,
    { tenantId, actor }: Claim,
    { error, unrecorded }: { error: AppError; unrecorded: number },
  ): Promise<void> {
    const target = `route:${request.method} ${String(request.route?.path).replaceAll(/:(\w+)/g, '{$1}')}`;
    const details = unrecorded === 0 ? {} : { unrecorded };
    await this.database.asTenant(tenantId, async (tx) => {
      if (!(await this.credentials.tenantExists(tx, tenantId))) return this.#noteUnplaced(request, error);
      await appendAudit(tx, tenantId, [
        { event: 'management.refused', actor, target, outcome: error.code, details, ...request.origin },
      ]);
    });
  }
}
