import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { ProfileSettings } from './profiles.schema.js';

/** A profile as it is stored. */
export interface ProfileRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly settings: StoredSettings;
  readonly created_at: Date;
}

/** What a profile is made of, with what its allow-list named when it was written. */
export type StoredSettings = Omit<ProfileSettings, 'name'> & { readonly approved: readonly string[] | null };

/** A profile's row and the view that it comes to. */
export interface WrittenProfile {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly settings: StoredSettings;
  readonly view: string;
  readonly viewDigest: string;
}

/** A server with the tools of its live release. */
export interface LiveTools {
  readonly slug: string;
  readonly writes: boolean;
  /** Null where nothing is live. */
  readonly tools: Readonly<Record<string, 'read' | 'write'>> | null;
  readonly tokens: Readonly<Record<string, number>> | null;
}

const COLUMNS = `id, slug, name, settings, created_at`;

/** A tenant's profiles. */
@Injectable()
export class ProfilesRepository {
  async list(tx: Transaction, tenantId: string): Promise<ProfileRow[]> {
    return tx.query(`select ${COLUMNS} from profiles where tenant_id = $1 order by slug`, [tenantId]);
  }

  async find(tx: Transaction, tenantId: string, slug: string): Promise<ProfileRow | undefined> {
    const rows: ProfileRow[] = await tx.query(`select ${COLUMNS} from profiles where tenant_id = $1 and slug = $2`, [
      tenantId,
      slug,
    ]);
    return rows[0];
  }

  /** The profile, kept from changing until the transaction ends. */
  async lock(tx: Transaction, tenantId: string, slug: string): Promise<ProfileRow | undefined> {
    const rows: ProfileRow[] = await tx.query(
      `select ${COLUMNS} from profiles where tenant_id = $1 and slug = $2 for update`,
      [tenantId, slug],
    );
    return rows[0];
  }

  /** How many there are; concurrent creations of one tenant wait for each other. */
  async count(tx: Transaction, tenantId: string): Promise<number> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`profiles:${tenantId}`]);
    const rows: [{ count: number }] = await tx.query(
      `select count(*)::int as count from profiles where tenant_id = $1`,
      [tenantId],
    );
    return rows[0].count;
  }

  async insert(tx: Transaction, tenantId: string, profile: WrittenProfile): Promise<void> {
    const { id, slug, name, settings, view, viewDigest } = profile;
    await tx.query(
      `insert into profiles (tenant_id, id, slug, name, settings, view_digest, view) values ($1, $2, $3, $4, $5, $6, $7)`,
      [tenantId, id, slug, name, JSON.stringify(settings), viewDigest, view],
    );
  }

  /** Keeps the view that it had, which calls on their way still name. */
  async update(
    tx: Transaction,
    tenantId: string,
    { id, name, settings, view, viewDigest }: WrittenProfile,
  ): Promise<void> {
    await tx.query(
      `update profiles set name = $3, settings = $4, view_digest = $5, view = $6,
         previous_view_digest = case when view_digest = $5 then previous_view_digest else view_digest end,
         previous_view = case when view_digest = $5 then previous_view else view end
       where tenant_id = $1 and id = $2`,
      [tenantId, id, name, JSON.stringify(settings), viewDigest, view],
    );
  }

  async remove(tx: Transaction, tenantId: string, id: string): Promise<void> {
    await tx.query(`delete from profiles where tenant_id = $1 and id = $2`, [tenantId, id]);
  }

  /** All servers of the tenant, with what of them is live; not their other environments, which are behind no profile. */
  async liveTools(tx: Transaction, tenantId: string): Promise<LiveTools[]> {
    return tx.query(
      `select s.slug, s.writes, r.tools, r.tool_tokens as tokens from servers s
       left join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id
       where s.tenant_id = $1 and strpos(s.slug, '~') = 0 order by s.slug`,
      [tenantId],
    );
  }
}
