import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** Archives of the audit log are in rows of bounded size, or in an object store, for as long as a plan says. */
export class ArchivePlaces1763914100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table plans add column audit_archive_days integer check (audit_archive_days between 1 and 36525);
      alter table audit_archives alter column content drop not null;
      alter table audit_archives add column object uuid;
      alter table audit_archives add constraint audit_archives_one_place check (num_nonnulls(content, object) <= 1);
      grant delete, update (content, object) on audit_archives to wharf_background;
      create table audit_archive_chunks (
        tenant_id uuid not null references tenants (id),
        first_leaf bigint not null,
        number integer not null,
        content bytea not null check (octet_length(content) between 1 and 1048576),
        primary key (tenant_id, first_leaf, number),
        foreign key (tenant_id, first_leaf) references audit_archives (tenant_id, first_leaf) on delete cascade
      )`);
    await stampTenantTable(runner, 'audit_archive_chunks', {
      grants: { wharf_control: 'select', wharf_background: 'select, insert, delete' },
    });
    await guard(runner);
  }

  async down(): Promise<void> {
    throw new Error('An audit log is not taken apart again: restore a backup instead.');
  }
}

/** An archive stays what it is; its bytes may go to the object store, and it goes when its plan lets it. */
async function guard(runner: QueryRunner): Promise<void> {
  await runner.query(`
    drop trigger audit_archives_append_only on audit_archives;
    create function refuse_archive_change() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if (new.tenant_id, new.first_leaf, new.end_leaf, new.digest, new.bytes, new.created_at)
           is distinct from (old.tenant_id, old.first_leaf, old.end_leaf, old.digest, old.bytes, old.created_at)
         or old.object is not null or new.object is null then
        raise exception 'audit archives are append-only; only their bytes may go to the object store';
      end if;
      return new;
    end $$;
    create function refuse_archive_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if not exists (select from public.tenants t join public.plans p on p.name = t.plan where t.id = old.tenant_id
        and old.created_at < now() - make_interval(days => p.audit_archive_days)) then
        raise exception 'audit archives are append-only, until their plan lets them go';
      end if;
      return old;
    end $$;
    create function refuse_chunk_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (select from public.audit_archives a where a.tenant_id = old.tenant_id
        and a.first_leaf = old.first_leaf and a.object is null) then
        raise exception 'audit archives are append-only';
      end if;
      return old;
    end $$;
    create trigger audit_archives_unchangeable before update on audit_archives
      for each row execute function refuse_archive_change();
    create trigger audit_archives_kept before delete on audit_archives
      for each row execute function refuse_archive_loss();
    create trigger audit_archives_not_emptied before truncate on audit_archives
      for each statement execute function refuse_change();
    create trigger audit_archive_chunks_unchangeable before update or truncate on audit_archive_chunks
      for each statement execute function refuse_change();
    create trigger audit_archive_chunks_kept before delete on audit_archive_chunks
      for each row execute function refuse_chunk_loss()`);
}
