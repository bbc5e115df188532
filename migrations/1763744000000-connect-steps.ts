import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** What agents did on their way to a tenant URL, for a day; one row for each step of a visitor within ten minutes. */
export class ConnectSteps1763744000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table connect_steps (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        server_slug text not null,
        resource text not null,
        visitor text not null,
        place text not null,
        thread text not null,
        step text not null,
        rule text not null,
        proven boolean not null,
        program text not null,
        client text,
        within timestamptz not null,
        first_at timestamptz not null,
        last_at timestamptz not null,
        times integer not null,
        primary key (tenant_id, id),
        unique (tenant_id, server_slug, visitor, thread, step, rule, within)
      )`);
    await runner.query(`create index connect_steps_newest on connect_steps (tenant_id, proven, last_at desc)`);
    await runner.query(`create index connect_steps_age on connect_steps (last_at)`);
    await stampTenantTable(runner, 'connect_steps', {
      grants: {
        wharf_auth: 'select, insert, update, delete',
        wharf_gateway: 'select, insert, update, delete',
        wharf_control: 'select',
      },
      acrossTenants: [
        {
          role: 'wharf_auth',
          commands: ['select'],
          reason: 'finds the tenants that have steps older than a day, to delete them',
        },
      ],
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table connect_steps`);
  }
}
