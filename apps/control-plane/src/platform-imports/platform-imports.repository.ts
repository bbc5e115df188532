import { Injectable } from '@nestjs/common';
import { isUniqueViolation, type Transaction } from '#libs/database';

/** An import as it is kept. */
export interface ImportRow {
  readonly id: string;
  readonly state: 'uploading' | 'waiting' | 'checking' | 'writing' | 'done' | 'failed' | 'cancelled';
  readonly bytes: number;
  readonly digest: string;
  readonly slug: string | null;
  readonly plan: string;
  readonly home_region: string | null;
  readonly trusted: readonly string[];
  readonly reason: string;
  readonly progress: { readonly file?: string; readonly files?: number };
  readonly failure: string | null;
  readonly imported_id: string | null;
  readonly imported_slug: string | null;
  readonly created_at: Date;
  readonly ended_at: Date | null;
  readonly expires_at: Date;
  readonly kept_until: Date | null;
  readonly received: number;
  readonly next_part: number;
}

/** What an import begins with. */
export interface NewImport {
  readonly id: string;
  readonly bytes: number;
  readonly digest: string;
  readonly trusted: readonly string[];
  readonly slug: string | null;
  readonly plan: string;
  readonly homeRegion: string | null;
  readonly reason: string;
  readonly requestedBy: string;
}

/** What opens an archive's secrets, sealed. */
export interface SealedSecret {
  readonly sealed: Buffer;
  readonly rootKeyId: string;
}

/** Whether an import began. */
export type Begun = 'begun' | 'not open' | 'another is in hand';

/** One part of an archive. */
export interface Part {
  readonly importId: string;
  readonly number: number;
  readonly digest: string;
  readonly content: Buffer;
}

const SHOWN = `select i.id, i.state, i.bytes::float8 as bytes, i.digest, i.slug, i.plan, i.home_region, i.reason, i.progress,
  i.failure, i.imported_id, i.imported_slug, i.created_at, i.ended_at, i.expires_at, case when i.kept_until > now() then i.kept_until end as kept_until, i.trusted, p.received, p.next_part
from tenant_imports i cross join lateral (
  select count(*)::int as received, coalesce(min(n.number) filter (where n.number <> n.place), count(*))::int as next_part
  from (select number, row_number() over (order by number) - 1 as place from tenant_import_parts where import_id = i.id) n) p`;

/** Archives on their way in, and their parts. */
@Injectable()
export class PlatformImportsRepository {
  /** Keeps a new import; false where as many are open as may be. */
  async insert(tx: Transaction, made: NewImport, openMax: number): Promise<boolean> {
    const { id, bytes, digest, trusted, slug, plan, homeRegion, reason, requestedBy } = made;
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('tenant-imports', 0))`);
    const rows: unknown[] = await tx.query(
      `insert into tenant_imports (id, bytes, digest, trusted, slug, plan, home_region, reason, requested_by)
       select $1, $2, $3, $4, $5, $6, $7, $8, $9
       where (select count(*) from tenant_imports where (state = 'uploading' and expires_at > now())
           or (state = 'failed' and kept_until > now())) < $10 returning id`,
      [id, bytes, digest, trusted, slug, plan, homeRegion, reason, requestedBy, openMax],
    );
    return rows.length > 0;
  }

  async hasPlan(tx: Transaction, plan: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(`select from plans where name = $1`, [plan]);
    return rows.length > 0;
  }

  list(
    tx: Transaction,
    page: { readonly limit: number; readonly cursor?: string | undefined; readonly state?: string | undefined },
  ): Promise<ImportRow[]> {
    return tx.query(
      `${SHOWN} where ($1::uuid is null or i.id < $1) and ($2::text is null or i.state = $2) order by i.id desc limit $3`,
      [page.cursor ?? null, page.state ?? null, page.limit],
    );
  }

  async find(tx: Transaction, id: string): Promise<ImportRow | undefined> {
    const rows: ImportRow[] = await tx.query(`${SHOWN} where i.id = $1`, [id]);
    return rows[0];
  }

  /** Keeps a part of an import that takes some; what is kept under its number by now is told. */
  async keepPart(tx: Transaction, { importId, number, digest, content }: Part): Promise<string | undefined> {
    const open: unknown[] = await tx.query(
      `select from tenant_imports where id = $1 and state = 'uploading' and expires_at > now() for share`,
      [importId],
    );
    if (open.length === 0) return undefined;
    await tx.query(
      `insert into tenant_import_parts (import_id, number, digest, bytes, content) values ($1, $2, $3, $4, $5)
       on conflict (import_id, number) do nothing`,
      [importId, number, digest, content.length, content],
    );
    const rows: Array<{ digest: string }> = await tx.query(
      `select digest from tenant_import_parts where import_id = $1 and number = $2`,
      [importId, number],
    );
    return rows[0]?.digest;
  }

  /** Lets an import that is whole begin; false where it does not wait for that, or where another one is in hand. */
  async begin(tx: Transaction, id: string, secret: SealedSecret | undefined): Promise<Begun> {
    return begun(() =>
      tx.query(
        `update tenant_imports set state = 'waiting', sealed = $2, root_key_id = $3
         where id = $1 and state = 'uploading' and expires_at > now() returning id`,
        [id, secret?.sealed ?? null, secret?.rootKeyId ?? null],
      ),
    );
  }

  /** Lets an import that failed begin again with these choices; as `begin`. */
  async retry(
    tx: Transaction,
    { id, slug, plan, homeRegion, trusted, reason, requestedBy }: Omit<NewImport, 'bytes' | 'digest'>,
    secret: SealedSecret | undefined,
  ): Promise<Begun> {
    return begun(() =>
      tx.query(
        `update tenant_imports set state = 'waiting', slug = $2, plan = $3, home_region = $4, trusted = $5, reason = $6,
           requested_by = $7, sealed = $8, root_key_id = $9, failure = null, ended_at = null, kept_until = null,
           progress = '{}', attempts = 0, run_id = null, run_until = null
         where id = $1 and state = 'failed' and kept_until > now() returning id`,
        [id, slug, plan, homeRegion, trusted, reason, requestedBy, secret?.sealed ?? null, secret?.rootKeyId ?? null],
      ),
    );
  }

  /** Gives an import up that is not done, or one that failed and is kept; false for any other. */
  async cancel(tx: Transaction, id: string): Promise<boolean> {
    const [rows]: [unknown[], number] = await tx.query(
      `update tenant_imports set state = 'cancelled', ended_at = now(), sealed = null, root_key_id = null, kept_until = null
       where id = $1 and (state in ('uploading', 'waiting', 'checking', 'writing')
         or (state = 'failed' and kept_until > now())) returning id`,
      [id],
    );
    return rows.length > 0;
  }
}

/** One is in hand at a time: an index says so. */
async function begun(update: () => Promise<[unknown[], number]>): Promise<Begun> {
  try {
    const [rows] = await update();
    return rows.length > 0 ? 'begun' : 'not open';
  } catch (error) {
    if (isUniqueViolation(error)) return 'another is in hand';
    throw error;
  }
}
