import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A manifest as PostgreSQL can read it: escapes that it knows no character for stand in descriptions only. */
const MANIFEST = `regexp_replace(convert_from(b.content, 'UTF8'), '\\\\u(0000|d[89a-f][0-9a-f]{2})', '\\\\ufffd', 'gi')::json`;

/** What a manifest's tool is: one that only reads says so, or is sent with a method that only reads. */
const TOOLS_OF_MANIFEST = `
  select json_object_agg(tool->>'name',
    case when coalesce(tool#>>'{annotations,readOnlyHint}', (coalesce(tool#>>'{http,method}', '') in ('GET', 'HEAD'))::text) = 'true'
      then 'read' else 'write' end)
  from json_array_elements(${MANIFEST}->'tools') as tool`;

/**
 * A server says whether its agents may write, which groups its tools are in, and which clients may act for its callers;
 * a release says which of its tools write. A server that is there already goes on as it was.
 */
export class Scopes1763743000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table servers
        add column writes boolean not null default true,
        add column asks_for text not null default 'read' check (asks_for in ('read', 'write')),
        add column tool_groups jsonb not null default '{}',
        add column exchange_clients text[] not null default '{}'`);
    await runner.query(`alter table servers alter column writes set default false`);
    await runner.query(`alter table releases add column tools jsonb`);
    // Forced security hides every tenant's rows from the owner too, who must see all of them for this once.
    for (const table of ['releases', 'blobs']) await runner.query(`alter table ${table} no force row level security`);
    await runner.query(`
      update releases r set tools = coalesce((${TOOLS_OF_MANIFEST}), '{}')::jsonb
      from blobs b where b.tenant_id = r.tenant_id and b.digest = r.digest`);
    for (const table of ['releases', 'blobs']) await runner.query(`alter table ${table} force row level security`);
    await runner.query(`alter table releases alter column tools set not null`);
    await runner.query(`
      create unique index oauth_artifacts_user_code on oauth_artifacts (model, user_code) where user_code is not null`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop index oauth_artifacts_user_code`);
    await runner.query(`alter table releases drop column tools`);
    await runner.query(
      `alter table servers drop column writes, drop column asks_for, drop column tool_groups, drop column exchange_clients`,
    );
  }
}
