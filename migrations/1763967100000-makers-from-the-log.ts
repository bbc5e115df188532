import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whose the keys and clients are that were there before makers were kept, as the log says it. In a transaction of its own,
 * that changes no table's form: while it reads the log, people go on signing up and making keys.
 */
export class MakersFromTheLog1763967100000 implements MigrationInterface {
  /** Keys that were made with keys are whose those are; how long such a chain is is bounded by how many keys there are. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      do $$
      declare remembered bigint;
      begin
        update clients c set created_by = ${idIn(`a.actor ->> 'id'`)} from audit_log a
        where a.tenant_id = c.tenant_id and a.target = 'client:' || c.id and a.event = 'client.created'
          and a.actor ->> 'kind' = 'person' and c.created_by is null;
        create temporary table key_makers on commit drop as
          select k.tenant_id, k.id, a.actor ->> 'kind' as kind, ${idIn(`a.actor ->> 'id'`)} as maker
          from api_keys k join audit_log a on a.tenant_id = k.tenant_id and a.target = 'api_key:' || k.id
          where k.created_by is null and a.event = 'api_key.created' and a.actor ->> 'kind' in ('person', 'api-key')
          union all
          select a.tenant_id, ${idIn(`a.details ->> 'successor'`)}, a.actor ->> 'kind', ${idIn(`a.actor ->> 'id'`)}
          from tenants t join audit_log a on a.tenant_id = t.id and a.event = 'api_key.rotated'
          where a.actor ->> 'kind' in ('person', 'api-key');
        update api_keys k set created_by = m.maker from key_makers m
        where m.tenant_id = k.tenant_id and m.id = k.id and m.kind = 'person' and k.created_by is null;
        loop
          update api_keys k set created_by = by.created_by from key_makers m, api_keys by
          where m.tenant_id = k.tenant_id and m.id = k.id and m.kind = 'api-key' and k.created_by is null
            and by.tenant_id = k.tenant_id and by.id = m.maker and by.created_by is not null;
          get diagnostics remembered = row_count;
          exit when remembered = 0;
        end loop;
        update clients set maker_unknown = false where maker_unknown and created_by is not null;
        update api_keys set maker_unknown = false where maker_unknown and created_by is not null;
      end $$`);
  }

  /** What was learnt goes with its columns. */
  async down(): Promise<void> {}
}

/** What a record says may be no id: it is read by this version, and was written by another. */
function idIn(text: string): string {
  return `case when ${text} ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (${text})::uuid end`;
}
