import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** The bytes of a blob may be in an object store, and an object that no row refers to is noted until it is deleted. */
export class ObjectStore1763914000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table blobs alter column content drop not null;
      alter table blobs add column object uuid;
      alter table blobs add constraint blobs_one_place check ((content is null) <> (object is null));
      grant update (content, object) on blobs to wharf_control, wharf_background;
      create table unused_objects (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        digest text not null check (digest ~ '^sha256:[0-9a-f]{64}$'),
        bytes integer not null,
        due_at timestamptz not null,
        claimed boolean not null default false,
        primary key (tenant_id, id)
      );
      create index unused_objects_due on unused_objects (due_at)`);
    await stampTenantTable(runner, 'unused_objects', {
      grants: { wharf_control: 'select, insert, delete', wharf_background: 'select, insert, update, delete' },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select'],
          reason: 'finds objects that are to be deleted, whosever they are',
          whenNoTenant: true,
        },
      ],
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table unused_objects;
      revoke update (content, object) on blobs from wharf_control, wharf_background;
      alter table blobs drop constraint blobs_one_place;
      alter table blobs drop column object;
      alter table blobs alter column content set not null`);
  }
}
