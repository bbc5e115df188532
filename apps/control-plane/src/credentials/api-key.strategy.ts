import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { regionOf } from '#libs/config';
import type { Database } from '#libs/database';
import { elsewhere, hashApiKey, tenantOfApiKey } from '#libs/identity';
import type { TenantCaller } from '../access/caller.js';
import { HELD } from '../access/permissions.js';
import type { ControlPlaneConfig } from '../config.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import type { Origin } from '../edge/origin.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { API_KEY, credentialOf } from './credential.js';
import { CredentialsRepository, type KeyRow } from './credentials.repository.js';
import { ProvingStrategy } from './proving-strategy.js';
import { suspended } from './suspension.js';

/** Lets in whoever holds an API key of a tenant, by bearer token or `X-API-Key`; the lookup is among that tenant's keys only. */
@Injectable()
export class ApiKeyStrategy extends ProvingStrategy(API_KEY) {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(CredentialsRepository) private readonly credentials: CredentialsRepository,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {
    super();
  }

  override async prove(request: ManagedRequest): Promise<TenantCaller | undefined> {
    const text = credentialOf(request);
    const tenantId = text === undefined ? undefined : tenantOfApiKey(text);
    if (text === undefined || tenantId === undefined) return undefined;
    request.claim = { tenantId, actor: { kind: 'anonymous' } };
    const key = await this.database.asTenant(tenantId, async (tx) => {
      const found = await this.credentials.findKey(tx, tenantId, hashApiKey(text));
      if (
        found?.usable === true &&
        found.status === 'active' &&
        (await this.credentials.noteUse(tx, tenantId, found.id))
      ) {
        await appendAudit(tx, tenantId, [usedKey(found.id, request.origin)]);
      }
      return found;
    });
    // Its hash was found, so it is this key, whether it still opens anything or not.
    if (key !== undefined) request.claim = { tenantId, actor: { kind: 'api-key', id: key.id } };
    if (key?.usable !== true) return undefined;
    const refused = elsewhere(key.home_region, regionOf(this.config));
    if (refused !== undefined) throw refused;
    return callerWith(key, tenantId, request.origin);
  }
}

function usedKey(keyId: string, origin: Origin): Parameters<typeof appendAudit>[2][number] {
  return {
    event: 'api_key.used',
    actor: { kind: 'api-key', id: keyId },
    target: `api_key:${keyId}`,
    outcome: 'ok',
    details: { at: 'management' },
    ...origin,
  };
}

function callerWith(key: KeyRow, tenantId: string, origin: Origin): TenantCaller {
  const manages = key.scopes.includes('management');
  if (key.status !== 'active' && key.deletion_due_at === null)
    throw suspended(key.status_reason, manages ? 'manages it' : 'does not');
  return {
    kind: 'tenant',
    tenantId,
    tenantSlug: key.slug,
    principal: { kind: 'api-key', tenantId, keyId: key.id, scopes: key.scopes },
    permissions: manages ? HELD.api_key : [],
    ...(key.deletion_due_at === null ? {} : { deletionDueAt: key.deletion_due_at }),
    origin,
  };
}
