import { createHash } from 'node:crypto';
import { DataKeyRing, type TenantVault } from '#libs/secrets';
import { ArchiveError, type Ask } from '#libs/tenant-archive';
import type { ArchiveReader } from './archive-reader.js';
import { accountOf } from './import-people.js';

/** What an operator decides about a tenant that comes in: nothing of it is believed of its archive. */
export interface Decided {
  readonly slug: string;
  readonly plan: string;
  readonly homeRegion: string | null;
}

/** What rows are changed with. */
export interface ChangingParts {
  readonly ask: Ask;
  readonly reader: ArchiveReader;
  readonly decided: Decided;
  /** Opens the tenant's data keys; undefined where they were left out. */
  readonly key: Buffer | undefined;
  readonly vault: TenantVault;
}

/** A row of an archive. */
export type Row = Readonly<Record<string, unknown>>;

/** What becomes of a row here; undefined where it is not this archive's to say. */
export type Change = (row: Row) => Promise<Row | undefined> | Row | undefined;

/** What archives have in place of columns. */
export const BROUGHT: Readonly<Record<string, readonly string[]>> = { members: ['email'], data_keys: ['sealed'] };

const COUNTED = new Set(['usage_hours', 'usage_months', 'call_rollups']);

/** What is different here about each table's rows, and what was learnt on the way. */
export class ChangedRows {
  readonly #people = new Map<string, string>();
  readonly #keys: Array<readonly [id: string, key: Buffer]> = [];

  constructor(private readonly parts: ChangingParts) {}

  /** The keys that came along, to open what they seal. */
  get ring(): DataKeyRing {
    return new DataKeyRing(this.parts.reader.manifest.tenant.id, this.#keys);
  }

  /** What is different about a table's rows; undefined where they go in as they came, unread. */
  of(table: string): Change | undefined {
    const { decided, reader } = this.parts;
    switch (table) {
      case 'tenants':
        return (row) => ({ ...row, slug: decided.slug, plan: decided.plan, home_region: decided.homeRegion });
      case 'members':
        return (row) => this.#member(row);
      case 'server_people':
        return (row) => ({ ...row, who: this.#people.get(String(row['who'])) ?? row['who'] });
      case 'probes':
        return (row) => laterIfDue(row, Number(row['every_seconds'] ?? DRIFT_SPREAD_SECONDS));
      case 'drift_watches':
        return (row) => laterIfDue(row, DRIFT_SPREAD_SECONDS);
      case 'drift_candidates':
        // A rollout of its own accord waits for a person who has looked around here.
        return (row) => (row['state'] === 'queued' ? { ...row, state: 'pending' } : row);
      case 'api_keys':
        return (row) => ({ ...row, ...this.#makers(row, ['created_by']) });
      case 'clients':
        return (row) => ({ ...row, ...this.#makers(row, ['created_by']), ...this.#holders(row) });
      case 'secrets':
      case 'secret_versions':
        return (row) => ('written_by' in row ? { ...row, written_by: this.#writer(row['written_by']) } : row);
      case 'data_keys':
        return (row) => this.#dataKey(row);
      case 'blobs':
        return async (row) => ({ ...row, content: hexOf(await blobOf(reader, String(row['digest']))) });
      case 'tenant_feature_flags':
        // What an operator elsewhere switched is not switched here.
        return (row) => (row['decided_by'] === 'tenant' ? row : undefined);
      case 'registry_entries':
        // Whether everybody finds it here is decided here.
        return (row) => ({ ...row, tenant_slug: decided.slug, visibility: 'tenant' });
      case 'webhooks':
        return (row) => ({ ...row, ...PAUSED });
      default:
        return COUNTED.has(table) ? (row) => counted(table, row) : undefined;
    }
  }

  async #member({ email, ...row }: Row): Promise<Row> {
    const accountId = await accountOf(this.parts.ask, String(email), String(row['account_id']));
    this.#people.set(String(row['account_id']), accountId);
    return { ...row, account_id: accountId };
  }

  /** Who made something, as they are called here; nobody who did not come along. */
  #makers(row: Row, columns: readonly string[]): Row {
    const brought = columns.filter((column) => column in row);
    return Object.fromEntries(brought.map((column) => [column, this.#people.get(String(row[column])) ?? null]));
  }

  /** An actor as the log names them: accounts of another installation are nobody's here, and keys are the archive's own. */
  #writer(actor: unknown): unknown {
    const { kind, id } = (actor ?? {}) as { kind?: unknown; id?: unknown }; // of an archive: it may be anything
    if (kind !== 'person') return actor;
    const here = this.#people.get(String(id));
    return here === undefined ? null : { kind, id: here };
  }

  /** Everybody who was given a client's secret; archives of an earlier version name the last one alone, or nobody. */
  #holders(row: Row): Row {
    const given = row['secret_given_to'];
    if (given === undefined) return {};
    const holders: unknown[] = Array.isArray(given) ? given : [given];
    return { secret_given_to: holders.flatMap((one) => this.#people.get(String(one)) ?? []) };
  }

  #dataKey({ sealed, ...row }: Row): Row {
    const { key, vault, reader } = this.parts;
    if (key === undefined) throw new ArchiveError('The archive holds data keys and says that it has none.');
    const moved = { id: String(row['id']), sealed: Buffer.from(String(sealed), 'base64') };
    const adopted = opened('tables/data_keys.ndjson', () => vault.adoptKey(reader.manifest.tenant.id, moved, key));
    this.#keys.push([moved.id, adopted.key]);
    return { ...row, wrapped: hexOf(adopted.wrapped), wrapping_key_id: adopted.wrappingKeyId };
  }
}

/** As new watches are spread. */
const DRIFT_SPREAD_SECONDS = 600;

/** What came due while the archive was on its way is spread over its next time, so that not all of it is done at once. */
function laterIfDue(row: Row, everySeconds: number): Row {
  const due = Date.parse(String(row['due_at']));
  if (!(due <= Date.now())) return row;
  return { ...row, due_at: new Date(Date.now() + Math.random() * everySeconds * 1_000).toISOString() };
}

const PAUSED = { state: 'paused', paused_because: 'asked', stream_next: 0, stream_end: null, stream_job_id: null };

/** Opens something sealed. @throws ArchiveError where it was sealed under another key, or for something else */
export function opened<Result>(path: string, open: () => Result): Result {
  try {
    return open();
  } catch (error) {
    throw new ArchiveError(
      `${path} holds something that is not sealed under the archive’s own keys. Do not trust whoever signed it.`,
      { cause: error },
    );
  }
}

/** What a tenant has used is never less than nothing: that would be allowed to it again. */
function counted(table: string, row: Row): Row {
  const [name] = Object.entries(row).find(([, value]) => typeof value === 'number' && value < 0) ?? [];
  if (name === undefined) return row;
  throw new ArchiveError(
    `tables/${table}.ndjson holds a ${name} of less than nothing. Do not trust whoever signed it.`,
  );
}

function hexOf(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

/** Bytes are found by their hash, so they have to be what they are called. */
async function blobOf(reader: ArchiveReader, digest: string): Promise<Buffer> {
  const content = await reader.bytes(`blobs/${digest.replace('sha256:', '')}`);
  if (`sha256:${createHash('sha256').update(content).digest('hex')}` !== digest)
    throw new ArchiveError(`The archive’s blob ${digest} is not what it is called. Use another copy.`);
  return content;
}
