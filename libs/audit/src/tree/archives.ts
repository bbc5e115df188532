import type { Transaction } from '#libs/database';

/** An archive, and where its bytes are: here, or in an object of the object store. */
export interface FoundArchive {
  readonly digest: string;
  readonly bytes: number;
  readonly content: Buffer | null;
  readonly object: string | null;
}

/** The archive that begins with this leaf, if there is one. */
export async function findArchive(
  tx: Transaction,
  tenantId: string,
  firstLeaf: number,
): Promise<FoundArchive | undefined> {
  const rows: FoundArchive[] = await tx.query(
    `select digest, bytes, content, object from audit_archives where tenant_id = $1 and first_leaf = $2`,
    [tenantId, firstLeaf],
  );
  const [found] = rows;
  if (found === undefined || found.content !== null || found.object !== null) return found;
  const chunks: Array<{ content: Buffer }> = await tx.query(
    `select content from audit_archive_chunks where tenant_id = $1 and first_leaf = $2 order by number`,
    [tenantId, firstLeaf],
  );
  return { ...found, content: Buffer.concat(chunks.map(({ content }) => content)) };
}
