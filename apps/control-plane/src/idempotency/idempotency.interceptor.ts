import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { lastValueFrom, of, type Observable } from 'rxjs';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { deriveLasting, type TenantVault } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import type { ControlPlaneConfig } from '../config.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { CONFIG, LOGGER, TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { namedRequest, type NamedRequest } from './idempotency-key.js';
import { firstAnswer, type AnswerShelf } from './kept-answers.js';
import { PlatformShelf } from './platform-shelf.js';
import { TenantShelf } from './tenant-shelf.js';

const ANSWER_BYTES_MAX = 1024 * 1024;

/** Answers a POST that names itself (`Idempotency-Key`) once: what comes again gets the first answer again. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  readonly #hashKey: Buffer;
  readonly #platform: AnswerShelf;

  constructor(
    @Inject(CONFIG) config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(VAULT) private readonly vault: TenantVault,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#hashKey = deriveLasting(config.WHARF_MASTER_KEY, 'idempotency');
    this.#platform = new PlatformShelf(database, config.WHARF_MASTER_KEY);
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<ManagedRequest>();
    const named = request.method === 'POST' ? namedRequest(request, this.#hashKey) : undefined;
    if (named === undefined) return next.handle();
    const shelf = this.#shelfOf(request);
    const first = await firstAnswer(shelf, named);
    if (first !== undefined) {
      context.switchToHttp().getResponse<Response>().setHeader('idempotency-replayed', 'true');
      return of(JSON.parse(first) ?? undefined);
    }
    return of(await this.#answerOnce(shelf, named, next));
  }

  #shelfOf({ caller }: ManagedRequest): AnswerShelf {
    return caller?.kind === 'tenant' ? new TenantShelf(this.database, this.vault, caller.tenantId) : this.#platform;
  }

  async #answerOnce(shelf: AnswerShelf, named: NamedRequest, next: CallHandler): Promise<unknown> {
    let answer: unknown;
    try {
      answer = await lastValueFrom(next.handle());
    } catch (error) {
      // A refusal of ours changed nothing. Of anything else, a lost connection too, nobody knows.
      if (error instanceof AppError && error.cause === undefined) await shelf.release(named);
      throw error;
    }
    // Null is kept for an answer without a body; no answer of ours is null itself.
    await this.#keep(shelf, named, JSON.stringify(answer ?? null));
    return answer;
  }

  /** The request took effect: its answer goes out, also where it could not be kept. */
  async #keep(shelf: AnswerShelf, named: NamedRequest, answer: string): Promise<void> {
    if (Buffer.byteLength(answer) > ANSWER_BYTES_MAX) return;
    await shelf.keep(named, answer).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'the answer to a named request could not be kept');
    });
  }
}
