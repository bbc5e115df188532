import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Owners are told by mail what becomes of their tenant: the background service finds their addresses and writes to them. Whose
 * they are it knows of members; of accounts, which are no tenant's rows, it reads addresses alone, as it does of the mails that
 * it sends.
 */
export class MailsToOwners1763978000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      grant select (tenant_id, account_id, role) on members to wharf_background;
      grant select (id, email) on accounts to wharf_background;
      grant insert on mail_outbox to wharf_background`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke insert on mail_outbox from wharf_background;
      revoke select (id, email) on accounts from wharf_background;
      revoke select (tenant_id, account_id, role) on members from wharf_background`);
  }
}
