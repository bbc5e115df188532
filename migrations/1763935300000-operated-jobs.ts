import type { MigrationInterface, QueryRunner } from 'typeorm';

const POLICY = 'outbox_wharf_operator_select';

/** Operators see jobs that were given up, and have them run again; mails that fail are sent again at once. */
export class OperatedJobs1763935300000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table outbox add column retried_at timestamptz;
      create index outbox_given_up on outbox (id) where failure is not null and retried_at is null;
      create policy ${POLICY} on outbox for select to wharf_operator using (true);
      comment on policy ${POLICY} on outbox is 'operators look after the jobs of all tenants';
      grant select, update (retried_at) on outbox to wharf_operator;
      grant select (tenant_id, id, state, job_id), update (state, job_id) on webhook_deliveries to wharf_operator;
      grant select (id, attempts, created_at, due_at, expires_at), update (due_at) on mail_outbox to wharf_operator`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke select (id, attempts, created_at, due_at, expires_at), update (due_at) on mail_outbox from wharf_operator;
      revoke select (tenant_id, id, state, job_id), update (state, job_id) on webhook_deliveries from wharf_operator;
      revoke select, update (retried_at) on outbox from wharf_operator;
      drop policy ${POLICY} on outbox;
      drop index outbox_given_up;
      alter table outbox drop column retried_at`);
  }
}
