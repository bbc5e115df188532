import type { KeyObject } from 'node:crypto';
import type { AuditEntry } from '#libs/audit';
import type { Secret } from '#libs/config';
import { isIdShaped, newId } from '#libs/database';
import { TenantVault } from '#libs/secrets';
import {
  ArchiveError,
  ArchiveUnwelcome,
  CONTENT,
  listTenantTables,
  openExportKey,
  SEALED,
  type ArchiveManifest,
  type Ask,
} from '#libs/tenant-archive';
import type { ArchiveReader } from './archive-reader.js';
import { importAudit } from './import-audit.js';
import { importTables } from './import-rows.js';

/** Under which an installation itself acts; operators have no key for it. */
export const PLATFORM = '00000000-0000-7000-8000-000000000000';

/** What whoever imports an archive decides: none of it is believed of the archive. */
export interface ImportChoices {
  readonly masterKey: Secret;
  /** Opens what is sealed: the passphrase, or the private key that it was sealed for. */
  readonly secret: string | KeyObject | undefined;
  /** Where the tenant's slug is taken here. */
  readonly slug: string | undefined;
  readonly plan: string;
  readonly homeRegion: string | null;
  /** Who imports, and why, as the platform's log says it. */
  readonly act: { readonly operatorId: string; readonly reason: string };
  readonly signal?: AbortSignal;
  /** Called before the rows of each table, with how many tables were written before it. */
  readonly onFile?: (path: string, files: number) => void;
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
 * Brings a tenant out of an archive that was checked into the installation of an open transaction, of which it is the
 * tenant (`app.tenant_id`): whatever goes wrong, nothing of it is seen. `inTransaction` gives that, when all that takes
 * its time was done. Ids stay what they were, so that what is sealed opens and references hold; people are found by
 * their address.
 * @throws ArchiveError
 */
export async function importArchive(
  reader: ArchiveReader,
  choices: ImportChoices,
  inTransaction: (tenantId: string, work: (ask: Ask) => Promise<Imported>) => Promise<Imported>,
): Promise<Imported> {
  const { manifest } = reader;
  refuseUnknownTables(manifest);
  const key = await keyOf(manifest, choices.secret);
  const slug = choices.slug ?? manifest.tenant.slug;
  if (isIdShaped(slug))
    throw new ArchiveUnwelcome(
      `The slug ${slug} is written like an id and would be mistaken for one. Name another one.`,
    );
  try {
    return await inTransaction(manifest.tenant.id, (ask) => write(ask, reader, { ...choices, slug, key }));
  } catch (error) {
    throw explained(error, slug);
  }
}

async function write(
  ask: Ask,
  reader: ArchiveReader,
  choices: ImportChoices & { readonly slug: string; readonly key: Buffer | undefined },
): Promise<Imported> {
  const { masterKey, slug, plan, homeRegion, key, signal, onFile, act } = choices;
  const { manifest } = reader;
  const { id: tenantId } = manifest.tenant;
  await refuseNewer(ask, manifest);
  await refusePresent(ask, tenantId, plan);
  const tables = (await listTenantTables(ask)).filter(({ name }) => manifest.tables.includes(name));
  const decided = { slug, plan, homeRegion };
  const vault = new TenantVault(masterKey);
  const rows = await importTables({ ask, reader, tables, decided, key, vault, signal, onFile });
  await importAudit({ ask, reader, signal });
  await record(ask, manifest, act);
  return { tenantId, slug, manifest, rows };
}

async function refuseNewer(ask: Ask, { migrations }: ArchiveManifest): Promise<void> {
  const here = new Set((await ask<{ name: string }>(`select name from migrations`)).map(({ name }) => name));
  const newer = migrations.filter((name) => !here.has(name));
  if (newer.length > 0)
    throw new ArchiveUnwelcome(
      `The archive is of a newer version (${newer.slice(0, 10).join(', ')}); import it with that version.`,
    );
}

async function refusePresent(ask: Ask, tenantId: string, plan: string): Promise<void> {
  if ((await ask(`select from tenants where id = $1`, [tenantId])).length > 0)
    throw new ArchiveUnwelcome(
      `The tenant ${tenantId} is in this installation already; an import does not overwrite it.`,
    );
  if ((await ask(`select from plans where name = $1`, [plan])).length === 0)
    throw new ArchiveUnwelcome(
      `There is no plan ${plan} here. Name one that there is; the archive’s own is not believed.`,
    );
}

function refuseUnknownTables({ tables, key }: ArchiveManifest): void {
  const unknown = tables.filter((name) => CONTENT[name]?.kind !== 'rows');
  if (unknown.length > 0)
    throw new ArchiveError(`The archive holds tables that no tenant has here: ${unknown.slice(0, 10).join(', ')}.`);
  const sealed = tables.find((name) => SEALED.has(name));
  if (key === null && sealed !== undefined)
    throw new ArchiveError(`The archive says that secrets are left out, and holds tables/${sealed}.ndjson.`);
}

async function keyOf({ key }: ArchiveManifest, secret: ImportChoices['secret']): Promise<Buffer | undefined> {
  if (key === null) return undefined;
  const what = key.kind === 'passphrase' ? 'passphrase' : 'private key';
  if (secret === undefined) throw new ArchiveUnwelcome(`Secrets are sealed in the archive; name its ${what}.`);
  return openExportKey(key, secret).catch((error: unknown) => {
    throw new ArchiveUnwelcome(`This is not the ${what} that the archive was sealed with.`, { cause: error });
  });
}

/** The tenant's new log begins by saying where it came from. */
async function record(
  ask: Ask,
  { tenant, source, export: exportId, made_at: madeAt }: ArchiveManifest,
  { operatorId, reason }: ImportChoices['act'],
): Promise<void> {
  const entry: AuditEntry<'tenant.imported'> = {
    event: 'tenant.imported',
    actor: { kind: 'system', id: 'tenant-import' },
    target: `tenant:${tenant.id}`,
    outcome: 'ok',
    details: { source, export: exportId, made_at: madeAt },
  };
  await ask(
    `insert into audit_records (tenant_id, id, at, event, actor, target, outcome, details)
     values ($1, $2, now(), $3, $4, $5, $6, $7)`,
    [tenant.id, newId(), entry.event, entry.actor, entry.target, entry.outcome, entry.details],
  );
  await ask(
    `insert into operator_actions (operator_id, action, reason, tenant_id, details)
     select id, 'tenants.imported', $2, $3, $4 from operators where id = $1`,
    [operatorId, reason, tenant.id, { source, export: exportId }],
  );
}

function explained(error: unknown, slug: string): unknown {
  const { code, constraint } = error as { code?: string; constraint?: string }; // of PostgreSQL, or neither
  if (code !== '23505' || constraint !== 'tenants_slug_key') return error;
  return new ArchiveUnwelcome(`The slug ${slug} is taken here; name another one.`, { cause: error });
}
