import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Owners are told by mail what becomes of their tenant: the background service finds their addresses and writes to them. It
 * lists no accounts: that table has no rows of tenants that a policy could hold it to, so this one function runs with its
 * owner's rights, and answers for people whom the caller knows by id.
 */
export class MailsToOwners1763978000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      grant select (tenant_id, account_id, role) on members to wharf_background;
      grant insert on mail_outbox to wharf_background;
      -- Members of a tenant with a database of its own are not seen here: of those the caller says who is an owner.
      create function addresses_of_owners(tenant uuid, people uuid[]) returns table (id uuid, email text)
      language sql stable security definer set search_path = pg_catalog as $$
        select a.id, a.email
        from public.accounts a
        where a.id = any(people[1:100]) and a.email is not null
          and (exists (select from public.members m where m.tenant_id = tenant and m.account_id = a.id and m.role = 'owner')
            or exists (select from public.tenant_homes h where h.tenant_id = tenant and h.state = 'dedicated'))
      $$;
      revoke execute on function addresses_of_owners from public;
      grant execute on function addresses_of_owners to wharf_background;
      comment on function addresses_of_owners is
        'With its owner’s rights: the addresses of those of at most 100 people who own the tenant or, where its members are not seen here, are said to'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function addresses_of_owners;
      revoke insert on mail_outbox from wharf_background;
      revoke select (tenant_id, account_id, role) on members from wharf_background`);
  }
}
