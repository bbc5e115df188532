import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { AppError } from '#libs/errors';
import { errorDocs, sendProblem } from '#libs/http';
import type { Logger } from '#libs/telemetry';
import type { ControlPlaneConfig } from '../config.js';
import { RouteRegistry } from '../contract/route-registry.js';
import { CONFIG, LOGGER } from '../platform/tokens.js';
import type { ManagedRequest } from './managed-request.js';
import { publicErrorOf } from './public-error.js';

/** Turns everything thrown into a problem document; the only place where errors become answers. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(RouteRegistry) private readonly registry: RouteRegistry,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<ManagedRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const error = publicErrorOf(thrown);
    if (error.status >= 500) {
      this.logger.error(
        { code: error.code, detail: error.detail, error: loggable(error.cause ?? error) },
        'request failed',
      );
    }
    if (error !== thrown && error.code === 'not_found') this.#sendUnrouted(request, response, error);
    else this.#send(response, error, headersOf(error));
  }

  #sendUnrouted(request: ManagedRequest, response: Response, error: AppError): void {
    const methods = this.registry.methodsOf(request.path);
    if (methods.length === 0 || methods.includes(request.method)) this.#send(response, error);
    else this.#send(response, new AppError('method_not_allowed'), { allow: methods.join(', ') });
  }

  #send(response: Response, error: AppError, headers: Record<string, string> = {}): void {
    sendProblem(response, error, headers, errorDocs(this.config.WHARF_PUBLIC_URL, error.code));
  }
}

/** What a log may know of an error. A database error's parameters and details are rows, and stay out. */
function loggable(cause: unknown): Record<string, unknown> {
  if (!(cause instanceof Error)) return { kind: typeof cause };
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  return { name: cause.name, message: cause.message, code, stack: cause.stack };
}

function headersOf(error: AppError): Record<string, string> {
  if (error.status === 401) return { 'www-authenticate': 'Bearer realm="wharf"' };
  if (error.code === 'insufficient_scope') {
    return { 'www-authenticate': 'Bearer error="insufficient_scope", scope="management"' };
  }
  return {};
}
