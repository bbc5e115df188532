import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who is said to have done what nobody did who has a name: the platform itself. Nobody has its key. */
const PLATFORM = '00000000-0000-7000-8000-000000000000';
const SERVICES = 'wharf_auth, wharf_control, wharf_gateway';

/**
 * Services may say in the platform's own log what they refused where no tenant is concerned, in bounds, and nothing
 * else: who says it, and when, PostgreSQL writes.
 */
export class UnplacedRefusals1763901000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `insert into operators (id, name, key_hash) values ('${PLATFORM}', 'Wharf itself', 'nobody has this key')`,
    );
    await runner.query(`
      create function stamp_refusals() returns trigger language plpgsql as $$
      begin
        if new.action <> 'refusals.counted' or length(new.details::text) > 65536 then
          raise exception '% may only say what it refused, in 64 KiB', current_user using errcode = '42501';
        end if;
        new.id := gen_random_uuid();
        new.at := now();
        new.operator_id := '${PLATFORM}';
        new.tenant_id := null;
        new.details := new.details || jsonb_build_object('service', current_user);
        return new;
      end $$;
      create trigger operator_actions_refusals before insert on operator_actions for each row
        when (current_user in ('wharf_auth', 'wharf_control', 'wharf_gateway')) execute function stamp_refusals();
      grant insert (action, reason, details) on operator_actions to ${SERVICES}`);
  }

  async down(): Promise<void> {
    throw new Error('An audit log is not taken apart again: restore a backup instead.');
  }
}
