import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, CompactSign, exportJWK } from 'jose';
import type { Deletion } from './deletions.repository.js';

/** Signs what was deleted, and that its keys are gone: a JWS (RFC 7515) by the key that signs checkpoints, which it names. */
export async function signReceipt(
  deletion: Deletion,
  { key, installation, endedAt }: { readonly key: KeyObject; readonly installation: string; readonly endedAt: Date },
): Promise<string> {
  const jwk = await exportJWK(createPublicKey(key));
  const content = {
    kind: 'tenant-deletion',
    installation,
    deletion: deletion.id,
    tenant: { id: deletion.tenant_id, slug: deletion.slug },
    reason: deletion.reason,
    requested_by: deletion.requested_by,
    requested_at: deletion.requested_at.toISOString(),
    due_at: deletion.due_at.toISOString(),
    started_at: deletion.started_at?.toISOString() ?? null,
    deleted_at: endedAt.toISOString(),
    keys: 'every data key and every person’s key of the tenant was destroyed before its rows were deleted',
    rows: deletion.counts,
    audit_checkpoint: deletion.checkpoint,
  };
  return new CompactSign(Buffer.from(JSON.stringify(content)))
    .setProtectedHeader({
      alg: 'EdDSA',
      typ: 'wharf-deletion-receipt+jws',
      kid: await calculateJwkThumbprint(jwk),
      jwk,
    })
    .sign(key);
}
