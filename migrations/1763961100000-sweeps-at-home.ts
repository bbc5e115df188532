import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CURRENT_TENANT } from './support/tenant-table.js';

const NOBODYS = `${CURRENT_TENANT} is null`;

/** What may be changed and deleted across tenants, by whom, and under which condition until now. */
const ACROSS: ReadonlyArray<readonly [table: string, role: string, command: 'update' | 'delete', condition: string]> = [
  ['call_rollups', 'wharf_background', 'delete', NOBODYS],
  ['data_keys', 'wharf_background', 'update', NOBODYS],
  ['egress_allowances', 'wharf_operator', 'delete', 'true'],
  ['idempotency_keys', 'wharf_background', 'delete', NOBODYS],
  ['outbox', 'wharf_background', 'delete', 'true'],
  ['outbox', 'wharf_background', 'update', 'true'],
  ['person_keys', 'wharf_background', 'update', NOBODYS],
  ['probe_results', 'wharf_background', 'delete', NOBODYS],
  ['tasks', 'wharf_gateway', 'delete', `${NOBODYS} and expires_at < now()`],
  ['tasks', 'wharf_gateway', 'update', `${NOBODYS} and look_at is not null`],
  ['usage_hours', 'wharf_background', 'delete', NOBODYS],
  ['webhook_deliveries', 'wharf_background', 'delete', NOBODYS],
];

/**
 * What looks across tenants changes and deletes rows of those alone that are at home in this database: of a tenant that is
 * moved, the rows that were read stay what they were, in both databases, until it has arrived.
 */
export class SweepsAtHome1763961100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [table, role, command, condition] of ACROSS)
      await alterPolicy(
        runner,
        `${table}_${role}_${command}`,
        table,
        command,
        `${condition} and app_is_home(tenant_id)`,
      );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, role, command, condition] of ACROSS)
      await alterPolicy(runner, `${table}_${role}_${command}`, table, command, condition);
  }
}

async function alterPolicy(
  runner: QueryRunner,
  policy: string,
  table: string,
  command: 'update' | 'delete',
  condition: string,
): Promise<void> {
  const check = command === 'update' ? `with check (${condition})` : '';
  await runner.query(`alter policy ${policy} on ${table} using (${condition}) ${check}`);
}
