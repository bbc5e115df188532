import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  calculateJwkThumbprint,
  CompactSign,
  compactVerify,
  exportJWK,
  importJWK,
  type CompactJWSHeaderParameters,
  type CryptoKey,
  type JWK,
} from 'jose';
import { z } from 'zod';
import { envelopeSchema } from './export-key.js';

/** The form of archives that this version writes; it reads this one. */
export const FORMAT = 1;

const TYPE = 'wharf-tenant-archive+jws';

const file = z.strictObject({
  path: z.string().regex(/^(tables|blobs|audit)\/[a-z0-9][a-z0-9_.-]*(\/[a-z0-9][a-z0-9_.-]*)?$/),
  bytes: z.int().min(0),
  /** In hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Lines, of a table. */
  rows: z.int().min(0).optional(),
});

const manifestSchema = z.strictObject({
  format: z.int(),
  made_at: z.iso.datetime(),
  /** The public URL of the installation that made it. */
  source: z.string(),
  export: z.uuid(),
  tenant: z.strictObject({ id: z.uuid(), slug: z.string(), name: z.string() }),
  /** The migrations of the schema that the rows are of. */
  migrations: z.array(z.string()),
  /** How to get at the key of what is sealed; null where that was left out. */
  key: envelopeSchema.nullable(),
  /** Tables in the order in which they can be written. */
  tables: z.array(z.string()),
  left_out: z.record(z.string(), z.string()),
  files: z.array(file).max(100_000),
});

/** What an archive says of itself. */
export type ArchiveManifest = z.infer<typeof manifestSchema>;

/** One file of an archive. */
export type ArchiveFile = z.infer<typeof file>;

/** Thrown for an archive that cannot be used; its sentence says what to do, and nothing was changed. */
export class ArchiveError extends Error {
  override readonly name: string = 'ArchiveError';
}

/** Thrown where not the archive is at fault: what the installation has, or what was said with it. The same archive can do. */
export class ArchiveUnwelcome extends ArchiveError {
  override readonly name = 'ArchiveUnwelcome';
}

/** A manifest as it stands in an archive: a JWS (RFC 7515) that carries it, and the key it is signed with. */
export async function signManifest(manifest: ArchiveManifest, key: KeyObject): Promise<string> {
  const jwk = await exportJWK(createPublicKey(key));
  return new CompactSign(Buffer.from(JSON.stringify(manifest)))
    .setProtectedHeader({ alg: 'EdDSA', typ: TYPE, kid: await calculateJwkThumbprint(jwk), jwk })
    .sign(key);
}

/** The manifest, where one of these keys (32 bytes of Ed25519 in base64url) has signed it. @throws ArchiveError */
export async function verifyManifest(text: string, trusted: readonly string[]): Promise<ArchiveManifest> {
  const { payload, key } = await verified(text);
  if (key === undefined || !trusted.includes(key)) {
    throw new ArchiveUnwelcome(
      'The archive is not signed by the keys that you trust. Get those of the installation that made it with GET /v1/audit/keys there.',
    );
  }
  const content: unknown = JSON.parse(Buffer.from(payload).toString());
  const format = z.looseObject({ format: z.int() }).safeParse(content);
  if (format.success && format.data.format > FORMAT)
    throw new ArchiveUnwelcome(
      `The archive has format ${format.data.format}; this version reads ${FORMAT}. Use a newer one.`,
    );
  const parsed = manifestSchema.safeParse(content);
  if (!parsed.success) throw new ArchiveError('The archive’s manifest is not one that this version can read.');
  return parsed.data;
}

async function verified(text: string): Promise<{ payload: Uint8Array; key: string | undefined }> {
  let key: JWK | undefined;
  try {
    const keyOf = async (header: CompactJWSHeaderParameters): Promise<CryptoKey> => {
      if (header.typ !== TYPE || header.jwk?.kty !== 'OKP') throw new Error('not signed as archives are');
      key = header.jwk;
      return importJWK(header.jwk, 'EdDSA') as Promise<CryptoKey>; // only symmetric keys are bytes
    };
    const { payload } = await compactVerify(text.trim(), keyOf, { algorithms: ['EdDSA'] });
    return { payload, key: key?.x };
  } catch (error) {
    throw new ArchiveError('The archive’s manifest was changed, or is none. Use another copy.', { cause: error });
  }
}
