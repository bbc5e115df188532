import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { AuditActor, AuditEntry, AuditEvent, EventDetails } from '#libs/audit';
import { AppError } from '#libs/errors';
import type { Principal } from '#libs/identity';
import type { Origin } from '../edge/origin.js';
import type { OperatorRole } from './operator-roles.js';
import type { PlatformPermission, TenantPermission } from './permissions.js';

/** Somebody who works within one tenant. */
export interface TenantCaller {
  readonly kind: 'tenant';
  readonly tenantId: string;
  readonly tenantSlug: string;
  readonly principal: Principal;
  /** The operator who looks at the tenant by these credentials; whoever they are, they only read. */
  readonly impersonatedBy?: string;
  readonly permissions: readonly TenantPermission[];
  /** When the tenant is to be deleted; undefined where it is not. */
  readonly deletionDueAt?: Date;
  readonly origin: Origin;
}

/** How an operator proved who they are: a session or key of their account, or the key of the configuration. */
export type OperatorCredential =
  | { readonly kind: 'session' | 'key'; readonly id: string }
  | { readonly kind: 'break_glass' };

/** An operator of the platform. */
export interface OperatorCaller {
  readonly kind: 'operator';
  readonly operatorId: string;
  readonly role: OperatorRole;
  readonly credential: OperatorCredential;
  readonly permissions: readonly PlatformPermission[];
  readonly origin: Origin;
}

/** Who sent a request, once its credentials were proved. */
export type Caller = TenantCaller | OperatorCaller;

/** What authentication leaves on a request; nothing on public routes. */
export interface CalledRequest {
  caller?: Caller;
}

/** A caller as audit records name them. */
export function actorOf(caller: Caller): AuditActor {
  if (caller.kind === 'operator') return { kind: 'operator', id: caller.operatorId };
  if (caller.impersonatedBy !== undefined) return { kind: 'operator', id: caller.impersonatedBy };
  const { principal } = caller;
  switch (principal.kind) {
    case 'api-key':
      return { kind: 'api-key', id: principal.keyId };
    case 'client':
      return { kind: 'client', id: principal.clientId };
    case 'person':
      return { kind: 'person', id: principal.subject, client: principal.clientId };
  }
}

/** An audit entry of something this caller did. */
export function doneBy<Event extends AuditEvent>(
  caller: Caller,
  entry: EventDetails<Event> & { readonly target: string },
): AuditEntry<Event> {
  return { ...entry, actor: actorOf(caller), outcome: 'ok', ...caller.origin };
}

function callerOf(context: ExecutionContext): Caller | undefined {
  return context.switchToHttp().getRequest<CalledRequest>().caller;
}

/** The tenant's caller, on routes with a tenant's permission. */
export const TenantCalling = createParamDecorator((_: unknown, context: ExecutionContext): TenantCaller => {
  const caller = callerOf(context);
  if (caller?.kind !== 'tenant')
    throw new AppError('internal', { detail: { reason: 'a tenant route without a tenant' } });
  return caller;
});

/** The operator, on routes with a platform permission. */
export const OperatorCalling = createParamDecorator((_: unknown, context: ExecutionContext): OperatorCaller => {
  const caller = callerOf(context);
  if (caller?.kind !== 'operator') {
    throw new AppError('internal', { detail: { reason: 'an operator route without an operator' } });
  }
  return caller;
});
