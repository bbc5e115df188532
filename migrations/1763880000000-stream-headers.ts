import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A stream may speak OTLP, and bring headers that its receiver wants, sealed like its secret. */
export class StreamHeaders1763880000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table webhooks drop constraint webhooks_format_check,
        add constraint webhooks_format_check check (format in ('record', 'ocsf', 'otlp')),
        add column header_names text[] not null default '{}',
        add column headers_data_key_id uuid,
        add column headers bytea,
        add foreign key (tenant_id, headers_data_key_id) references data_keys (tenant_id, id),
        add constraint webhooks_headers check ((headers is null) = (header_names = '{}')
          and (headers is null) = (headers_data_key_id is null) and (headers is null or mode = 'stream'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`delete from webhooks where format = 'otlp'`);
    await runner.query(`
      alter table webhooks drop column headers, drop column headers_data_key_id, drop column header_names,
        drop constraint webhooks_format_check,
        add constraint webhooks_format_check check (format in ('record', 'ocsf'))`);
  }
}
