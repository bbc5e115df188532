import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { AuditActor } from '#libs/audit';
import type { CalledRequest } from '../access/caller.js';
import type { Permission } from '../access/permissions.js';
import type { Origin } from './origin.js';

/** The tenant that a request's credentials name, and whom they prove; `anonymous` until they are proved. */
export interface Claim {
  readonly tenantId: string;
  readonly actor: AuditActor;
}

/** A request with what the stations before its handler learned; each property is there after its station. */
export interface ManagedRequest extends Request, CalledRequest {
  origin: Origin;
  /** What the route asks for; set before authentication, absent on public routes. */
  permission?: Permission;
  /** Set by authentication where the credentials of a tenant's route name a tenant. */
  claim?: Claim;
  /** Set when the request was parsed by its contract. */
  input?: unknown;
}

/** Where the request came from, as a handler's argument. */
export const RequestOrigin = createParamDecorator(
  (_: unknown, context: ExecutionContext): Origin => context.switchToHttp().getRequest<ManagedRequest>().origin,
);
