import type { z } from 'zod';
import { newId } from '#libs/database';
import { mintApiKey } from '#libs/identity';
import type { NewKeyRow } from './api-keys.repository.js';
import type { newApiKeySchema } from './api-keys.schema.js';

/** A key that exists only here so far: the row to store and the text to show once. */
export interface MintedKey {
  readonly row: NewKeyRow;
  readonly text: string;
}

/** A new key of a tenant with what it is for. */
export function mintKeyRow(
  tenantId: string,
  about: Pick<NewKeyRow, 'name' | 'scopes' | 'expiresAt' | 'createdBy'>,
): MintedKey {
  const { text, hash, prefix } = mintApiKey(tenantId);
  return { row: { id: newId(), keyHash: hash, prefix, createdAt: new Date(), ...about }, text };
}

/** The one answer that shows a key's text. */
export function newKeyView({ row, text }: MintedKey): z.input<typeof newApiKeySchema> {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: [...row.scopes],
    created_at: row.createdAt.toISOString(),
    created_by: row.createdBy,
    expires_at: row.expiresAt?.toISOString() ?? null,
    text,
  };
}
