import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { mergeMap, type Observable } from 'rxjs';
import type { ChangeAnnouncer } from '#libs/changes';
import { ANNOUNCER } from '../platform/tokens.js';
import type { ManagedRequest } from './managed-request.js';

/**
 * Answers a change only after the gateways have heard of it: a rollback, a revoked key or a suspension holds from the
 * moment of its answer. An operator's change may concern any tenant, and there are few.
 */
@Injectable()
export class AnnounceInterceptor implements NestInterceptor {
  constructor(@Inject(ANNOUNCER) private readonly announcer: Pick<ChangeAnnouncer, 'announce'>) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<ManagedRequest>();
    const { caller } = request;
    if (request.method === 'GET' || caller === undefined) return next.handle();
    const tenantId = caller.kind === 'tenant' ? caller.tenantId : '*';
    return next.handle().pipe(
      mergeMap(async (answer: unknown) => {
        await this.announcer.announce(tenantId);
        return answer;
      }),
    );
  }
}
