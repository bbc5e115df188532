import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { Transaction } from '#libs/database';
import { planSettings } from './plan-settings.js';

/** A plan. */
export type PlanRow = { readonly name: string } & Readonly<z.output<typeof planSettings>>;

/** A plan's settings, in the order in which they are written. */
const SETTINGS = Object.keys(planSettings.shape) as Array<keyof typeof planSettings.shape>; // its own keys
/** A bigint is read as a number: none of these is beyond 2^53. */
const BIG = new Set<string>([
  'calls_per_month',
  'tool_seconds_per_month',
  'bytes_per_month',
  'egress_bytes_per_month',
  'document_bytes_max',
]);
const READ = SETTINGS.map((name) => (BIG.has(name) ? `${name}::float8` : name)).join(', ');

/** The platform's plans. */
@Injectable()
export class PlatformPlansRepository {
  async list(tx: Transaction): Promise<PlanRow[]> {
    return tx.query(`select name, ${READ} from plans order by name`);
  }

  async find(tx: Transaction, name: string): Promise<PlanRow | undefined> {
    const rows: PlanRow[] = await tx.query(`select name, ${READ} from plans where name = $1`, [name]);
    return rows[0];
  }

  /** The plan, kept from changing, and tenants from getting or losing it, until the transaction ends. */
  async lock(tx: Transaction, name: string): Promise<PlanRow | undefined> {
    // Of a plan that is not there yet, its name.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('plans:' || $1, 0))`, [name]);
    await tx.query(`select from plans where name = $1 for update`, [name]);
    return this.find(tx, name);
  }

  /** A tenant with this plan that is in a database of its own, or on its way there. */
  async findAway(tx: Transaction, name: string): Promise<string | undefined> {
    const rows: Array<{ slug: string }> = await tx.query(
      `select t.slug from tenants t where t.plan = $1 and (
         exists (select from tenant_homes h where h.tenant_id = t.id)
         or exists (select from tenant_moves m where m.tenant_id = t.id and m.to_database is not null
           and m.state not in ('done', 'failed')))
       order by t.slug limit 1`,
      [name],
    );
    return rows[0]?.slug;
  }

  /** How many tenants have a plan, and how many imports that have not ended bring one to it. */
  async countUses(tx: Transaction, name: string): Promise<{ readonly tenants: number; readonly imports: number }> {
    const rows: Array<{ tenants: number; imports: number }> = await tx.query(
      `select (select count(*)::int from tenants where plan = $1) as tenants,
         (select count(*)::int from tenant_imports where plan = $1
           and (state in ('waiting', 'checking', 'writing') or (state = 'uploading' and expires_at > now()))) as imports`,
      [name],
    );
    return rows[0] ?? { tenants: 0, imports: 0 };
  }

  async delete(tx: Transaction, name: string): Promise<void> {
    await tx.query(`delete from plans where name = $1`, [name]);
  }

  async put(tx: Transaction, plan: PlanRow): Promise<void> {
    await tx.query(
      `insert into plans (name, ${SETTINGS.join(', ')}) values ($1, ${SETTINGS.map((_, at) => `$${at + 2}`).join(', ')})
       on conflict (name) do update set ${SETTINGS.map((name) => `${name} = excluded.${name}`).join(', ')}`,
      [plan.name, ...SETTINGS.map((name) => plan[name])],
    );
  }
}
