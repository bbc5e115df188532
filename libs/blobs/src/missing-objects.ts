import type { QueryResult } from 'pg';
import { objectKey } from './blob-store.js';
import type { ObjectStore } from './s3-objects.js';

/** An object that a row refers to. */
export interface ReferredObject {
  readonly tenant_id: string;
  readonly what: 'artefact' | 'archive';
  readonly digest: string;
  readonly object: string;
}

/** How objects are looked for. */
export interface ObjectSearch {
  /** Asks the database; as its owner, who sees the rows of all tenants. */
  readonly query: (sql: string, values: readonly unknown[]) => Promise<QueryResult<ReferredObject>>;
  /** Told each that is not there, with its key. */
  readonly onMissing: (object: ReferredObject, key: string) => void;
}

const PAGE = 1_000;
const AT_ONCE = 16;
const FIRST = '00000000-0000-0000-0000-000000000000';
/** Everything that says where an object is. */
const REFERRED = `
  select tenant_id, what, digest, object from (
    select tenant_id, 'artefact' as what, digest, object from blobs where object is not null
    union all
    select tenant_id, 'archive', digest, object from audit_archives where object is not null
  ) referred where object > $1 order by object limit ${PAGE}`;

/** The objects that a database refers to, a page at a time. */
async function* referred(query: ObjectSearch['query']): AsyncGenerator<readonly ReferredObject[]> {
  for (let last = FIRST; ;) {
    const { rows } = await query(REFERRED, [last]);
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    last = rows.at(-1)?.object ?? last;
  }
}

/**
 * Looks for every object that rows of a database refer to: how many there are. Without a store they are counted, and none is looked for.
 * @throws ObjectStoreError
 */
export async function findMissingObjects(objects: ObjectStore | undefined, search: ObjectSearch): Promise<number> {
  let count = 0;
  for await (const page of referred(search.query)) {
    count += page.length;
    if (objects === undefined) continue;
    for (let at = 0; at < page.length; at += AT_ONCE) {
      await Promise.all(
        page.slice(at, at + AT_ONCE).map(async (each) => {
          const key = objectKey(each.tenant_id, each.digest, each.object);
          if (!(await objects.has(key))) search.onMissing(each, key);
        }),
      );
    }
  }
  return count;
}
