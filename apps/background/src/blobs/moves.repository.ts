import { lockBlobs, keepPlaced, type Placed } from '#libs/blobs';
import { atHome, type Transaction } from '#libs/database';

/** Tenants after one, in the order of their ids; every tenant has an audit log. */
export async function tenantsAfter(
  tx: Transaction,
  {
    after,
    limit,
    region,
  }: { readonly after: string | null; readonly limit: number; readonly region: string | undefined },
): Promise<string[]> {
  const rows: Array<{ tenant_id: string }> = await tx.query(
    `select tenant_id from audit_trees where ($1::uuid is null or tenant_id > $1)
       and ${atHome('audit_trees.tenant_id', '$3')} order by tenant_id limit $2`,
    [after, limit, region ?? null],
  );
  return rows.map((row) => row.tenant_id);
}

/** An artefact whose bytes are in its row, after one of this digest; manifests stay in theirs. */
export async function findArtefactHere(
  tx: Transaction,
  tenantId: string,
  after: string,
): Promise<{ digest: string; content: Buffer } | undefined> {
  const rows: Array<{ digest: string; content: Buffer }> = await tx.query(
    `select b.digest, b.content from blobs b
     where b.tenant_id = $1 and b.digest > $2 and b.content is not null and not exists (
       select from releases r where r.tenant_id = b.tenant_id and r.digest = b.digest)
     order by b.digest limit 1`,
    [tenantId, after],
  );
  return rows[0];
}

/** Lets an artefact's row name the object that its bytes are in now, unless it is gone or a manifest meanwhile. */
export async function pointArtefact(tx: Transaction, tenantId: string, placed: Placed): Promise<boolean> {
  await lockBlobs(tx, tenantId);
  const [pointed]: [unknown[], number] = await tx.query(
    `update blobs b set content = null, object = $3
     where b.tenant_id = $1 and b.digest = $2 and b.content is not null and not exists (
       select from releases r where r.tenant_id = b.tenant_id and r.digest = b.digest) returning 1`,
    [tenantId, placed.digest, placed.object],
  );
  if (pointed.length > 0) await keepPlaced(tx, tenantId, placed);
  return pointed.length > 0;
}
