import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import type { TenantCaller } from '../access/caller.js';
import { isLook, READS } from '../access/permissions.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { credentialOf, IMPERSONATION } from './credential.js';
import { CredentialsRepository } from './credentials.repository.js';
import { hashImpersonation, tenantOfImpersonation } from './impersonation-token.js';
import { ProvingStrategy } from './proving-strategy.js';

/** Lets in an operator who looks at a tenant, for reading, and writes every look, and what was refused, into the tenant's log. */
@Injectable()
export class ImpersonationStrategy extends ProvingStrategy(IMPERSONATION) {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(CredentialsRepository) private readonly credentials: CredentialsRepository,
  ) {
    super();
  }

  override async prove(request: ManagedRequest): Promise<TenantCaller | undefined> {
    const text = credentialOf(request);
    const tenantId = text === undefined ? undefined : tenantOfImpersonation(text);
    if (text === undefined || tenantId === undefined) return undefined;
    request.claim = { tenantId, actor: { kind: 'anonymous' } };
    const route = `${request.method} ${String(request.route?.path).replaceAll(/:(\w+)/g, '{$1}')}`;
    return this.database.asTenantWithShared(tenantId, async (tx, shared) => {
      const found = await this.credentials.findImpersonation(tx, tenantId, hashImpersonation(text));
      if (found === undefined || !(await this.credentials.standsAsThen(shared, found))) return undefined;
      const { id, operator_id: operatorId, slug } = found;
      const actor = { kind: 'operator', id: operatorId } as const;
      request.claim = { tenantId, actor };
      await this.credentials.countUse(tx, tenantId, id);
      await appendAudit(tx, tenantId, [
        {
          event: 'impersonation.used',
          actor,
          target: `impersonation:${id}`,
          outcome: isLook(request.method, request.permission) ? 'ok' : 'forbidden',
          details: { route },
          ...request.origin,
        },
      ]);
      return {
        kind: 'tenant',
        tenantId,
        tenantSlug: slug,
        principal: { kind: 'api-key', tenantId, keyId: id, scopes: ['management'] },
        impersonatedBy: operatorId,
        permissions: READS,
        origin: request.origin,
      };
    });
  }
}
