import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** No word that PostgreSQL finds in a text has capitals, so that this is true of every document. */
const EVERY_DOCUMENT = `'!NOTHING'::tsquery`;

/**
 * Documents of tenants' knowledge servers, and the words that they are found by.
 *
 * The words stand in a table of their own, whose restrictive policy is the search itself: row-level security runs what a
 * query asks with operators that are not leakproof, such as `@@`, only after the policies, and so never by an index. What
 * a policy asks may use one. `app.search` is the search of the transaction; unset, every document of the tenant matches.
 */
export class Documents1763905000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create extension if not exists btree_gin`);
    await runner.query(TABLES);
    await runner.query(FUNCTIONS);
    await runner.query(`
      alter table plans
        add column documents_max integer not null default 10000 check (documents_max >= 0),
        add column document_bytes_max bigint not null default 104857600 check (document_bytes_max >= 0)`);
    await runner.query(
      `update plans set documents_max = 100000, document_bytes_max = 1073741824 where name in ('team', 'scale')`,
    );
    await this.#stamp(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table document_words, document_usage, documents cascade`);
    await runner.query(`drop function index_document, count_documents, notify_document_changes`);
    await runner.query(`alter table plans drop column documents_max, drop column document_bytes_max`);
  }

  async #stamp(runner: QueryRunner): Promise<void> {
    const grants = {
      wharf_control: 'select, insert, update, delete',
      wharf_gateway: 'select, insert, update, delete',
      wharf_background: 'select',
    };
    await stampTenantTable(runner, 'documents', { grants });
    await stampTenantTable(runner, 'document_words', { grants });
    await stampTenantTable(runner, 'document_usage', {
      grants: { wharf_control: 'select, insert, update', wharf_gateway: 'select, insert, update' },
    });
    await runner.query(`
      create policy document_words_search on document_words as restrictive for select
        using (search @@ coalesce(nullif(current_setting('app.search', true), '')::tsquery, ${EVERY_DOCUMENT}))`);
  }
}

const TABLES = `
create table documents (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  server_id uuid not null,
  collection text collate "C" not null,
  name text collate "C" not null,
  title text not null,
  tags text[] not null default '{}',
  language text not null,
  media_type text not null check (media_type in ('text/markdown', 'text/plain')),
  text text not null,
  bytes integer not null,
  version integer not null default 1,
  author jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint documents_name_key unique (tenant_id, server_id, collection, name),
  foreign key (tenant_id, server_id) references servers (tenant_id, id) on delete cascade
);
create table document_words (
  tenant_id uuid not null references tenants (id),
  document_id uuid not null,
  server_id uuid not null,
  search tsvector not null,
  primary key (tenant_id, document_id),
  foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
);
-- Only PostgreSQL 16 and newer take it in the table's own definition.
alter table document_words alter column search set storage main;
create index document_words_search on document_words using gin (tenant_id, server_id, search);
create table document_usage (
  tenant_id uuid primary key references tenants (id),
  documents integer not null,
  bytes bigint not null,
  languages text[] not null
);
`;

const FUNCTIONS = `
create function index_document() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare
  -- A typographic apostrophe would be a letter of its word.
  words tsvector := setweight(to_tsvector(new.language::regconfig, replace(new.title, '’', '''')), 'A')
    || setweight(to_tsvector('simple', translate(new.name, '/_-.', '    ') || ' ' || array_to_string(new.tags, ' ')), 'B')
    || to_tsvector(new.language::regconfig, replace(new.text, '’', ''''));
begin
  insert into document_words (tenant_id, document_id, server_id, search) values (new.tenant_id, new.id, new.server_id, words)
    on conflict (tenant_id, document_id) do update set search = excluded.search;
  return null;
end $$;
create trigger documents_indexed after insert or update of title, tags, text, language, name on documents
  for each row execute function index_document();

create function count_documents() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare
  tenant uuid := case when tg_op = 'DELETE' then old.tenant_id else new.tenant_id end;
  more integer := case tg_op when 'INSERT' then 1 when 'DELETE' then -1 else 0 end;
  bytes_more integer := case when tg_op = 'DELETE' then 0 else new.bytes end - case when tg_op = 'INSERT' then 0 else old.bytes end;
  language text := case when tg_op = 'DELETE' then null else new.language end;
begin
  insert into document_usage as u (tenant_id, documents, bytes, languages)
    values (tenant, greatest(more, 0), greatest(bytes_more, 0), array_remove(array[language], null))
    on conflict (tenant_id) do update set documents = u.documents + more, bytes = u.bytes + bytes_more,
      languages = case when language is null or language = any(u.languages) then u.languages else u.languages || language end;
  return null;
end $$;
create trigger documents_counted after insert or delete or update of bytes, language on documents
  for each row execute function count_documents();

create function notify_document_changes() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare
  told record;
begin
  for told in
    select c.tenant_id, s.slug, count(*) as many,
      (array_agg('knowledge://' || s.slug || '/' || c.collection || '/' || c.name order by c.collection, c.name))[1:10] as uris
    from changed c join servers s on s.tenant_id = c.tenant_id and s.id = c.server_id
    group by c.tenant_id, s.slug
  loop
    perform pg_notify('wharf_documents', jsonb_build_object('tenant', told.tenant_id, 'server', told.slug,
      'uris', case when told.many > 10 then null else to_jsonb(told.uris) end, 'list', true)::text);
  end loop;
  return null;
end $$;
create trigger documents_added after insert on documents referencing new table as changed
  for each statement execute function notify_document_changes();
create trigger documents_changed after update on documents referencing new table as changed
  for each statement execute function notify_document_changes();
create trigger documents_removed after delete on documents referencing old table as changed
  for each statement execute function notify_document_changes();
`;
