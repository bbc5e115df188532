import type { QueryRunner } from 'typeorm';
import type { DatabaseRole } from '#libs/database';

/** What a stamped table grants: role → SQL privileges, for example `select, insert`. */
export type Grants = Partial<Record<DatabaseRole, string>>;

/** How a tenant table is stamped. */
export interface TenantTableOptions {
  readonly grants: Grants;
  /** Roles that work across tenants on this table, each with the commands and the reason why. */
  readonly acrossTenants?: ReadonlyArray<{
    readonly role: DatabaseRole;
    readonly commands: ReadonlyArray<'select' | 'insert' | 'update' | 'delete'>;
    readonly reason: string;
    /** Only in transactions that are nobody's: within a tenant, its own rows alone are seen. */
    readonly whenNoTenant?: true;
    /** Only rows of which this is so: SQL on the table's own columns. */
    readonly where?: string;
  }>;
}

/** The tenant of the transaction, evaluated once for each statement; unset compares with null and matches nothing. */
export const CURRENT_TENANT = `(select nullif(current_setting('app.tenant_id', true), '')::uuid)`;

/**
 * Stamps isolation on a table that has a `tenant_id` column: row-level security enabled and forced, one policy for
 * reading and writing, grants for the services' roles. Every tenant table goes through here; the catalogue lint
 * (`test/isolation`) fails for one that did not.
 */
export async function stampTenantTable(
  runner: QueryRunner,
  table: string,
  options: TenantTableOptions,
  tenantColumn = 'tenant_id',
): Promise<void> {
  await runner.query(`alter table ${table} enable row level security`);
  await runner.query(`alter table ${table} force row level security`);
  await runner.query(
    `create policy ${table}_tenant on ${table} using (${tenantColumn} = ${CURRENT_TENANT}) with check (${tenantColumn} = ${CURRENT_TENANT})`,
  );
  for (const [role, privileges] of Object.entries(options.grants))
    await runner.query(`grant ${privileges} on ${table} to ${role}`);
  // A tenant is exported and deleted as a whole, with tables that are yet to come.
  await runner.query(`grant select, delete on ${table} to wharf_life_cycle`);
  for (const exception of options.acrossTenants ?? []) {
    for (const command of exception.commands) {
      const nobodys = exception.whenNoTenant === true ? `${CURRENT_TENANT} is null` : 'true';
      const condition = exception.where === undefined ? nobodys : `${nobodys} and (${exception.where})`;
      const clause =
        command === 'insert'
          ? `with check (${condition})`
          : command === 'update'
            ? `using (${condition}) with check (${condition})`
            : `using (${condition})`;
      const policy = `${table}_${exception.role}_${command}`;
      await runner.query(`create policy ${policy} on ${table} for ${command} to ${exception.role} ${clause}`);
      await runner.query(`comment on policy ${policy} on ${table} is '${exception.reason.replaceAll("'", "''")}'`);
    }
  }
}

/** Grants on a table that belongs to no tenant; the reason is kept as the table's comment and read by the lint. */
export async function stampSharedTable(
  runner: QueryRunner,
  table: string,
  reason: string,
  grants: Grants,
): Promise<void> {
  await runner.query(`comment on table ${table} is 'shared: ${reason.replaceAll("'", "''")}'`);
  for (const [role, privileges] of Object.entries(grants))
    await runner.query(`grant ${privileges} on ${table} to ${role}`);
}
