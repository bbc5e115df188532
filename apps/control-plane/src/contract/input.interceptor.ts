import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import type { Observable } from 'rxjs';
import { AppError } from '#libs/errors';
import { Slots } from '#libs/resilience';
import type { ManagedRequest } from '../edge/managed-request.js';
import { whenClosed } from '../edge/when-closed.js';
import { CONTRACT } from './contract.js';
import type { ContractShape } from './contract-shape.js';
import { readInput } from './read-input.js';

const UPLOADS_MAX = 2;

/** Parses each request by its route's contract, after the caller was let in and before the handler runs. */
@Injectable()
export class InputInterceptor implements NestInterceptor {
  readonly #uploads = new Slots();

  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<ManagedRequest>();
    const contract = this.reflector.get<ContractShape>(CONTRACT, context.getHandler());
    if (contract.body?.kind === 'bytes') this.#holdSlot(request, context.switchToHttp().getResponse<Response>());
    request.input = await readInput(request, contract);
    return next.handle();
  }

  /** Bounds the memory that uploads of one caller take. @throws AppError `rate_limited` */
  #holdSlot(request: ManagedRequest, response: Response): void {
    const holder = request.caller?.kind === 'tenant' ? request.caller.tenantId : 'others';
    const release = this.#uploads.take(holder, UPLOADS_MAX);
    if (release === undefined) {
      throw new AppError('rate_limited', {
        message: `At most ${UPLOADS_MAX} documents are uploaded at once. Try again when one is done.`,
        retryAfterSeconds: 2,
        limit: { name: 'management.concurrent_uploads', quota: UPLOADS_MAX },
      });
    }
    whenClosed(response, release);
  }
}
