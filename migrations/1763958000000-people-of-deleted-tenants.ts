import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People whom only a tenant that is deleted knew go with it: account, second factors, sessions, tokens and mails. */
export class PeopleOfDeletedTenants1763958000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- No foreign key: a mail to nobody costs as much as one to somebody, and has an id that is nobody's.
      alter table mail_outbox add column account_id uuid;
      create index mail_outbox_account on mail_outbox (account_id) where account_id is not null;
      -- What refers to a person is looked for when the person goes.
      create index members_account on members (account_id);
      create index invitations_invited_by on invitations (invited_by);
      create index invitations_accepted_by on invitations (accepted_by) where accepted_by is not null;
      create index federated_identities_account on federated_identities (account_id);
      grant select (account_id), delete on mail_outbox to wharf_life_cycle;
      grant select (model, id_hash, grant_id) on oauth_artifacts to wharf_life_cycle`);
    await this.letPeopleGo(runner);
    await this.letSignInsGo(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop trigger mail_outbox_kept on mail_outbox;
      drop function forget_people, keep_mails;
      create or replace function keep_other_accounts() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        if old.home_tenant_id is distinct from nullif(current_setting('app.tenant_id', true), '')::uuid then
          raise exception 'only people of the tenant alone are deleted with it' using errcode = '42501';
        end if;
        return old;
      end $$;
      create or replace function keep_confirmed_accounts() returns trigger language plpgsql set search_path = pg_catalog as $$
      declare account uuid;
      begin
        account := case tg_table_name when 'accounts' then to_jsonb(old) ->> 'id' else to_jsonb(old) ->> 'account_id' end;
        if not exists (select from public.accounts a where a.id = account and a.email_verified_at is null) then
          raise exception 'only an account whose address nobody has confirmed is taken from whoever opened it' using errcode = '42501';
        end if;
        return case tg_op when 'DELETE' then old else new end;
      end $$;
      revoke select (model, id_hash, grant_id) on oauth_artifacts from wharf_life_cycle;
      revoke select (account_id), delete on mail_outbox from wharf_life_cycle;
      drop index federated_identities_account, invitations_accepted_by, invitations_invited_by, members_account;
      alter table mail_outbox drop column account_id`);
  }

  /**
   * Each row of any tenant that names a person keeps their account: those foreign keys take nothing along and see past
   * row-level security, which the role that deletes does not. So nothing here runs with another's rights.
   */
  private async letPeopleGo(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create or replace function keep_other_accounts() returns trigger language plpgsql set search_path = pg_catalog as $$
      declare tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
      begin
        if old.home_tenant_id = tenant then return old; end if;
        if old.home_tenant_id is null and (public.is_being_deleted(tenant)
            -- A tenant's own database has copies alone, which sign nobody in.
            or exists (select from public.installation i where i.database is not null)) then
          return old;
        end if;
        raise exception 'only people of the tenant alone are deleted with it' using errcode = '42501';
      end $$;
      create function forget_people(people uuid[]) returns uuid[] language plpgsql set search_path = pg_catalog as $$
      declare
        tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
        person uuid;
        gone uuid[] := '{}';
      begin
        for person in select a.id from public.accounts a where a.id = any(people)
            and (a.home_tenant_id is null or a.home_tenant_id = tenant) order by a.id loop
          begin
            delete from public.accounts a where a.id = person;
            delete from public.oauth_artifacts o where o.account_id = person;
            delete from public.mail_outbox m where m.account_id = person;
            gone := gone || person;
          exception when foreign_key_violation then null;
          end;
        end loop;
        return gone;
      end $$;
      revoke execute on function forget_people from public;
      grant execute on function forget_people to wharf_life_cycle;
      comment on function forget_people is
        'Deletes those of them whom no row of any tenant names, with what signs them in; returns whom'`);
  }

  private async letSignInsGo(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create or replace function keep_confirmed_accounts() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        if tg_table_name = 'oauth_artifacts' then
          -- Of who is gone, and what a grant of a tenant that is deleted has given out: those of others are not seen.
          if old.account_id is not null and not exists (select from public.accounts a where a.id = old.account_id) then
            return old;
          end if;
          if public.is_being_deleted(nullif(current_setting('app.tenant_id', true), '')::uuid) and exists (
              select from public.grants g where g.id = old.grant_id or (old.model = 'Grant' and g.id = old.id_hash)) then
            return old;
          end if;
        end if;
        if not exists (select from public.accounts a where a.email_verified_at is null
            and a.id = (case tg_table_name when 'accounts' then to_jsonb(old) ->> 'id' else to_jsonb(old) ->> 'account_id' end)::uuid) then
          raise exception 'only an account whose address nobody has confirmed is taken from whoever opened it' using errcode = '42501';
        end if;
        return case tg_op when 'DELETE' then old else new end;
      end $$;
      create function keep_mails() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        if old.account_id is null or exists (select from public.accounts a where a.id = old.account_id) then
          raise exception 'only mails to people who are gone are deleted with them' using errcode = '42501';
        end if;
        return old;
      end $$;
      create trigger mail_outbox_kept before delete on mail_outbox for each row
        when (current_user = 'wharf_life_cycle') execute function keep_mails()`);
  }
}
