import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { map, type Observable } from 'rxjs';
import type { ManagedRequest } from '../edge/managed-request.js';
import { CONTRACT } from './contract.js';
import type { ContractShape, Deprecation } from './contract-shape.js';
import { etagOf, isKnown, taggedOf } from './precondition.js';

/** Sets the headers that a route's contract promises: the ETag of what is shown, and that a route will end. What the caller has already is not sent again. */
@Injectable()
export class AnswerHeadersInterceptor implements NestInterceptor {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { etag, tagged, deprecated } = this.reflector.get<ContractShape>(CONTRACT, context.getHandler());
    const http = context.switchToHttp();
    const response = http.getResponse<Response>();
    if (deprecated !== undefined) announceEnd(response, deprecated);
    if (etag === undefined) return next.handle();
    return next.handle().pipe(
      map((answer: unknown) => {
        if (answer === undefined) return undefined;
        const tag = etagOf(taggedOf(answer, tagged));
        response.setHeader('etag', tag);
        if (!isKnown(http.getRequest<ManagedRequest>(), tag)) return answer;
        response.status(304);
        return undefined;
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
