import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { tap, type Observable } from 'rxjs';
import { CONTRACT } from './contract.js';
import type { ContractShape, Deprecation } from './contract-shape.js';
import { etagOf, taggedOf } from './precondition.js';

/** Sets the headers that a route's contract promises: the ETag of what is shown, and that a route will end. */
@Injectable()
export class AnswerHeadersInterceptor implements NestInterceptor {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { etag, tagged, deprecated } = this.reflector.get<ContractShape>(CONTRACT, context.getHandler());
    const response = context.switchToHttp().getResponse<Response>();
    if (deprecated !== undefined) announceEnd(response, deprecated);
    if (etag === undefined) return next.handle();
    return next.handle().pipe(
      tap((answer: unknown) => {
        if (answer !== undefined) response.setHeader('etag', etagOf(taggedOf(answer, tagged)));
      }),
    );
  }
}

/** RFC 9745 (`Deprecation`), RFC 8594 (`Sunset`), RFC 5829 (`successor-version`). */
function announceEnd(response: Response, { since, sunset, instead }: Deprecation): void {
  response.setHeader('deprecation', `@${Date.parse(since) / 1_000}`);
  response.setHeader('sunset', new Date(sunset).toUTCString());
  response.setHeader('link', `<${instead}>; rel="successor-version"`);
}
