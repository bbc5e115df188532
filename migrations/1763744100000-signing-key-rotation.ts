import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A signing key is published before it signs, is replaced when it is due, and ends when no token of it can be left. */
export class SigningKeyRotation1763744100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table signing_keys add column signs_from timestamptz not null default now()`);
    await runner.query(`alter table signing_keys add column rotates_at timestamptz`);
    await runner.query(`grant update (retires_at) on signing_keys to wharf_auth`);
    await runner.query(`grant delete on signing_keys to wharf_auth`);
    await runner.query(
      `grant select (kid, alg, created_at, signs_from, rotates_at, retires_at), update (rotates_at, retires_at)
         on signing_keys to wharf_operator`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke all on signing_keys from wharf_operator`);
    await runner.query(`revoke update, delete on signing_keys from wharf_auth`);
    await runner.query(`alter table signing_keys drop column rotates_at, drop column signs_from`);
  }
}
