import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CURRENT_TENANT } from './support/tenant-table.js';

/** Operators find the tenants of somebody who writes to them by the address alone: whose member they are, and no more. */
export class TenantsOfPeople1763976300000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      grant select (id, email, asserted_email) on accounts to wharf_operator;
      grant select (tenant_id, account_id) on members to wharf_operator;
      create policy members_wharf_operator_select on members for select to wharf_operator using (${CURRENT_TENANT} is null);
      comment on policy members_wharf_operator_select on members is 'finds the tenants of a person who writes to the operators, by their address'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop policy members_wharf_operator_select on members;
      revoke select (tenant_id, account_id) on members from wharf_operator;
      revoke select (id, email, asserted_email) on accounts from wharf_operator`);
  }
}
