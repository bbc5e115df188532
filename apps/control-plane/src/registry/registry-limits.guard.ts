import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import { clientAddress } from '#libs/http';
import { ManagementLimits } from '../access/management-limits.js';
import type { ControlPlaneConfig } from '../config.js';
import { sourceOf } from '../edge/source.js';
import { CONFIG } from '../platform/tokens.js';

/** Bounds what one network asks of the public registry, as a tenant is bounded at the management API. */
@Injectable()
export class RegistryLimits implements CanActivate {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(ManagementLimits) private readonly limits: ManagementLimits,
  ) {}

  /** @throws AppError `rate_limited` */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const source = sourceOf(clientAddress(http.getRequest<Request>(), this.config.WHARF_TRUST_PROXY));
    await this.limits.admit(`registry|${source}`, http.getResponse<Response>());
    return true;
  }
}
