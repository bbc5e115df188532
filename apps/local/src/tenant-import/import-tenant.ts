import type { KeyObject } from 'node:crypto';
import type { Client } from 'pg';
import type { AuditEntry } from '#libs/audit';
import type { Secret } from '#libs/config';
import { newId } from '#libs/database';
import { TenantVault } from '#libs/secrets';
import { ArchiveError, CONTENT, listTenantTables, openExportKey, type ArchiveManifest } from '#libs/tenant-archive';
import { MIGRATION_NAMES } from '#migrations';
import { asOwner } from '../backup/tables.js';
import { ArchiveReader } from './archive-reader.js';
import { importAudit } from './import-audit.js';
import { importTables } from './import-rows.js';

/** Under which an installation itself acts; operators have no key for it. */
const PLATFORM = '00000000-0000-7000-8000-000000000000';

/** What to import, and into which installation. */
export interface ImportOptions {
  readonly databaseUrl: string;
  readonly masterKey: Secret;
  /** The archive's path. */
  readonly file: string;
  /** Keys of installations whose archives are believed, 32 bytes of Ed25519 in base64url. */
  readonly trusted: readonly string[];
  /** Opens what is sealed: the passphrase, or the private key that it was sealed for. */
  readonly secret: string | KeyObject | undefined;
  /** Where the tenant's slug is taken here. */
  readonly slug: string | undefined;
}

/** A tenant that was imported. */
export interface Imported {
  readonly tenantId: string;
  readonly slug: string;
  readonly manifest: ArchiveManifest;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * Brings a tenant out of its archive into this installation, in one transaction: whatever goes wrong, nothing of it is
 * seen. Its ids stay what they were, so that what is sealed opens and references hold; people are found by their address.
 * @throws ArchiveError
 */
export async function importTenant(options: ImportOptions): Promise<Imported> {
  const reader = await ArchiveReader.open(options.file, options.trusted);
  try {
    const { manifest } = reader;
    refuseUnknown(manifest);
    const key = await keyOf(manifest, options.secret);
    return await asOwner(options.databaseUrl, 'wharf:import', async (client) => {
      await client.query('begin');
      await client.query(`set local statement_timeout = 0`);
      await client.query(`select set_config('app.tenant_id', $1, true)`, [manifest.tenant.id]);
      const imported = await write(client, reader, { ...options, key });
      await client.query('commit');
      return imported;
    });
  } catch (error) {
    throw explained(error, options.slug ?? reader.manifest.tenant.slug);
  } finally {
    reader.close();
  }
}

async function write(
  client: Client,
  reader: ArchiveReader,
  { masterKey, slug: asked, key, file: _ }: ImportOptions & { readonly key: Buffer | undefined },
): Promise<Imported> {
  const { manifest } = reader;
  const { id: tenantId } = manifest.tenant;
  const slug = asked ?? manifest.tenant.slug;
  const present = await client.query(`select from tenants where id = $1`, [tenantId]);
  if (present.rowCount !== 0)
    throw new ArchiveError(`The tenant ${tenantId} is in this installation already; an import does not overwrite it.`);
  const known = await listTenantTables(async <Row>(sql: string, values?: readonly unknown[]) => {
    const { rows } = await client.query(sql, values === undefined ? undefined : [...values]);
    return rows as Row[]; // as the statement says
  });
  const tables = known.filter(({ name }) => manifest.tables.includes(name));
  const rows = await importTables({ client, reader, tables, slug, key, vault: new TenantVault(masterKey) });
  await importAudit(client, reader);
  await record(client, manifest);
  return { tenantId, slug, manifest, rows };
}

function refuseUnknown({ migrations, tables }: ArchiveManifest): void {
  const newer = migrations.filter((name) => !MIGRATION_NAMES.includes(name));
  if (newer.length > 0)
    throw new ArchiveError(`The archive is of a newer version (${newer.join(', ')}); import it with that version.`);
  const unknown = tables.filter((name) => CONTENT[name]?.kind !== 'rows');
  if (unknown.length > 0)
    throw new ArchiveError(`The archive holds tables that no tenant has here: ${unknown.join(', ')}.`);
}

async function keyOf({ key }: ArchiveManifest, secret: ImportOptions['secret']): Promise<Buffer | undefined> {
  if (key === null) return undefined;
  const what = key.kind === 'passphrase' ? 'passphrase (`--passphrase-file`)' : 'private key (`--private-key-file`)';
  if (secret === undefined) throw new ArchiveError(`Secrets are sealed in the archive; name its ${what}.`);
  return openExportKey(key, secret).catch((error: unknown) => {
    throw new ArchiveError(`This is not the ${what} that the archive was sealed with.`, { cause: error });
  });
}

/** The tenant's new log begins by saying where it came from. */
async function record(
  client: Client,
  { tenant, source, export: exportId, made_at: madeAt }: ArchiveManifest,
): Promise<void> {
  const entry: AuditEntry<'tenant.imported'> = {
    event: 'tenant.imported',
    actor: { kind: 'system', id: 'tenant-import' },
    target: `tenant:${tenant.id}`,
    outcome: 'ok',
    details: { source, export: exportId, made_at: madeAt },
  };
  await client.query(
    `insert into audit_records (tenant_id, id, at, event, actor, target, outcome, details)
     values ($1, $2, now(), $3, $4, $5, $6, $7)`,
    [tenant.id, newId(), entry.event, entry.actor, entry.target, entry.outcome, entry.details],
  );
  await client.query(
    `insert into operator_actions (operator_id, action, reason, tenant_id, details)
     select id, 'tenants.import', 'a tenant was imported', $2, $3 from operators where id = $1`,
    [PLATFORM, tenant.id, { source, export: exportId }],
  );
}

function explained(error: unknown, slug: string): unknown {
  const { code, constraint } = error as { code?: string; constraint?: string }; // of PostgreSQL, or neither
  if (code !== '23505' || constraint !== 'tenants_slug_key') return error;
  return new ArchiveError(`The slug ${slug} is taken here; name another one with --slug.`, { cause: error });
}
