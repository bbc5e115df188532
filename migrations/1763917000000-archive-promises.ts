import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How long an archive is kept is promised when it is made: a plan that changes may keep it longer, and never shorter. */
export class ArchivePromises1763917000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table audit_archives add column kept_until timestamptz`);
    // Forced security hides every tenant's rows from the owner too, who must see all of them for this once.
    await runner.query(`
      alter table tenants no force row level security;
      alter table audit_archives no force row level security;
      alter table audit_archives disable trigger audit_archives_unchangeable;
      update audit_archives a set kept_until =
        coalesce(a.created_at + make_interval(days => p.audit_archive_days), 'infinity')
      from tenants t join plans p on p.name = t.plan where t.id = a.tenant_id;
      alter table audit_archives enable trigger audit_archives_unchangeable;
      alter table audit_archives force row level security;
      alter table tenants force row level security`);
    await guard(runner);
  }

  async down(): Promise<void> {
    throw new Error('An audit log is not taken apart again: restore a backup instead.');
  }
}

/** The release before does not know the promise: it is made for it, and what it would delete too early stays. */
async function guard(runner: QueryRunner): Promise<void> {
  await runner.query(`
    create function promise_archive() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      new.kept_until := coalesce(new.kept_until, (
        select new.created_at + make_interval(days => p.audit_archive_days)
        from public.tenants t join public.plans p on p.name = t.plan where t.id = new.tenant_id), 'infinity');
      return new;
    end $$;
    create trigger audit_archives_promised before insert on audit_archives
      for each row execute function promise_archive();
    create or replace function refuse_archive_change() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if (new.tenant_id, new.first_leaf, new.end_leaf, new.digest, new.bytes, new.created_at, new.kept_until) is distinct from
           (old.tenant_id, old.first_leaf, old.end_leaf, old.digest, old.bytes, old.created_at, old.kept_until)
         or old.object is not null or new.object is null then
        raise exception 'audit archives are append-only; only their bytes may go to the object store';
      end if;
      return new;
    end $$;
    create or replace function refuse_archive_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if not exists (select from public.tenants t join public.plans p on p.name = t.plan where t.id = old.tenant_id
        and old.created_at < now() - make_interval(days => p.audit_archive_days)) then
        raise exception 'audit archives are append-only, until their plan lets them go';
      end if;
      if old.kept_until >= now() then return null; end if;
      return old;
    end $$`);
}
