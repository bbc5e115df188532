import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Response } from 'express';
import { AppError } from '#libs/errors';
import {
  ACCESS_TOKEN,
  API_KEY,
  IMPERSONATION,
  OPERATOR_KEY,
  refuseQueryCredentials,
} from '../credentials/credential.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { MaintenanceWatch } from '../maintenance/maintenance-watch.js';
import type { Caller } from './caller.js';
import { CredentialTrials } from './credential-trials.js';
import { holderOf, ManagementLimits } from './management-limits.js';
import { RefusalAudit } from './refusal-audit.js';
import { withNextStep } from './refused-credentials.js';
import {
  isLook,
  isPlatformPermission,
  OPEN_WHILE_DELETING,
  PERMISSION,
  PUBLIC,
  whyPersonsAlone,
  type Permission,
} from './permissions.js';

/** What a strategy answered: its caller, its own error, or the one that a failed strategy gave as its reason. */
function provedCaller<Proved>(error: unknown, caller: Proved, reasons: unknown): Proved {
  if (error !== null && error !== undefined) throw error;
  if (caller !== false && caller !== null && caller !== undefined) return caller;
  const given = [reasons].flat().find((reason) => reason instanceof AppError);
  throw given ?? new AppError('unauthenticated');
}

const OPTIONS = { property: 'caller', session: false } as const;

class TenantAuthentication extends AuthGuard([API_KEY, ACCESS_TOKEN, IMPERSONATION]) {
  override getAuthenticateOptions(): typeof OPTIONS {
    return OPTIONS;
  }
  override handleRequest<Proved>(error: unknown, caller: Proved, reasons: unknown): Proved {
    return provedCaller(error, caller, reasons);
  }
}

class OperatorAuthentication extends AuthGuard(OPERATOR_KEY) {
  override getAuthenticateOptions(): typeof OPTIONS {
    return OPTIONS;
  }
  override handleRequest<Proved>(error: unknown, caller: Proved, reasons: unknown): Proved {
    return provedCaller(error, caller, reasons);
  }
}

/** Whether an error says that credentials are refused, and not that nobody could tell. */
function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && (error.status === 401 || error.status === 403);
}

/**
 * Stands before every route: proves the credentials within bounds, admits the request within its tenant's limits, and
 * compares what the caller holds with what the route declares.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  readonly #tenants = new TenantAuthentication();
  readonly #operators = new OperatorAuthentication();

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(CredentialTrials) private readonly trials: CredentialTrials,
    @Inject(ManagementLimits) private readonly limits: ManagementLimits,
    @Inject(RefusalAudit) private readonly refusals: RefusalAudit,
    @Inject(MaintenanceWatch) private readonly maintenance: MaintenanceWatch,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ManagedRequest>();
    refuseQueryCredentials(request);
    const handler = context.getHandler();
    await this.maintenance.refuseChanges(request);
    if (this.reflector.get<string | undefined>(PUBLIC, handler) !== undefined) return true;
    const permission = this.reflector.get<Permission | undefined>(PERMISSION, handler);
    if (permission === undefined) throw new AppError('forbidden');
    request.permission = permission;
    try {
      await this.#admit(context, isPlatformPermission(permission) ? this.#operators : this.#tenants);
      requireLook(request);
      if (this.reflector.get<true | undefined>(OPEN_WHILE_DELETING, handler) !== true) refuseLeaving(request.caller);
      if (holds(request.caller, permission)) return true;
      throw lacking(request.caller, permission);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await this.refusals.record(request, error);
      throw withNextStep(error, request);
    }
  }

  /** Whose credentials were proved before is admitted first, so that beyond the limits they cost no proof. */
  async #admit(context: ExecutionContext, authentication: CanActivate): Promise<void> {
    const request = context.switchToHttp().getRequest<ManagedRequest>();
    const response = context.switchToHttp().getResponse<Response>();
    const trial = this.trials.start(request);
    if (trial.holder !== undefined) await this.limits.admit(trial.holder, response);
    try {
      await authentication.canActivate(context);
    } catch (error) {
      if (isRefusal(error)) trial.refused();
      else trial.undecided();
      throw error;
    }
    if (request.caller === undefined) throw new AppError('unauthenticated');
    const holder = holderOf(request.caller);
    trial.proved(holder);
    if (trial.holder === undefined) await this.limits.admit(holder, response);
  }
}

/** Whoever looks at a tenant changes nothing there, whatever a route's permission is called. @throws AppError `forbidden` */
function requireLook({ caller, method, permission }: ManagedRequest): void {
  if (caller?.kind !== 'tenant' || caller.impersonatedBy === undefined || isLook(method, permission)) return;
  throw new AppError('forbidden', {
    message: 'An operator who looks at a tenant changes nothing: these credentials read.',
  });
}

function holds(caller: Caller | undefined, permission: Permission): boolean {
  if (caller === undefined) return false;
  if (isPlatformPermission(permission)) return caller.kind === 'operator' && caller.permissions.includes(permission);
  return caller.kind === 'tenant' && caller.permissions.includes(permission);
}

function isPerson(caller: Caller | undefined): boolean {
  return caller?.kind === 'operator' ? caller.credential.kind !== 'key' : caller?.principal.kind === 'person';
}

function lacking(caller: Caller | undefined, permission: Permission): AppError {
  const why = isPerson(caller) ? undefined : whyPersonsAlone(permission);
  return new AppError('forbidden', { message: why ?? `These credentials lack the permission ${permission}.` });
}

/** A tenant that is to be deleted does nothing but come back. @throws AppError `tenant_suspended` */
function refuseLeaving(caller: Caller | undefined): void {
  if (caller?.kind !== 'tenant' || caller.deletionDueAt === undefined) return;
  throw new AppError('tenant_suspended', {
    message:
      `This tenant is to be deleted on ${caller.deletionDueAt.toISOString()}, and until then it refuses everything. ` +
      'GET /v1/tenant/deletion says who asked for it; where the tenant did, an owner keeps it with POST /v1/tenant/restore.',
  });
}
