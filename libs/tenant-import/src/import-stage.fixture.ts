import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Database, newId } from '#libs/database';
import { FORMAT, signManifest, type ArchiveManifest } from '#libs/tenant-archive';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { ZipFile } from 'yazl';
import { ArchiveReader, importArchive, PLATFORM, type Imported } from './index.js';

/** Archives that a trusted installation has signed, and that hold what no export writes. */
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const trusted = [publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url')];

type Rows = Readonly<Record<string, ReadonlyArray<Record<string, unknown>>>>;

/** What of an archive is otherwise. */
export interface Forged {
  /** Files beside the rows, by path. */
  readonly texts?: Readonly<Record<string, string>>;
  /** What the manifest says otherwise. */
  readonly manifest?: (manifest: ArchiveManifest) => ArchiveManifest;
  /** What the bytes of the whole archive are otherwise. */
  readonly bytes?: (whole: Buffer) => Buffer;
  readonly secret?: string;
}

/** An installation into which archives are imported. */
export class ImportStage {
  private constructor(
    private readonly store: TestDatabase,
    readonly owner: Client,
    private readonly lifeCycle: Database,
    private readonly folder: string,
  ) {}

  static async open(): Promise<ImportStage> {
    const store = await testDatabase();
    const owner = new Client({ connectionString: store.databaseUrl });
    await owner.connect();
    const lifeCycle = await Database.connect({ ...store, role: 'wharf_life_cycle', poolSize: 1 });
    return new ImportStage(store, owner, lifeCycle, await mkdtemp(path.join(tmpdir(), 'import-')));
  }

  async close(): Promise<void> {
    await this.lifeCycle.close();
    await this.owner.end();
    await this.store.drop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Imports an archive with these rows, as it would be written, and forged. */
  async imported(tenantId: string, tables: Rows, forged: Forged = {}): Promise<Imported> {
    const file = path.join(this.folder, `${newId()}.zip`);
    await writeFile(file, await archiveOf(tenantId, tables, forged));
    const reader = await ArchiveReader.open({ path: file }, trusted);
    const { masterKey } = this.store;
    const act = { operatorId: PLATFORM, reason: 'a test' };
    const choices = { masterKey, secret: forged.secret, slug: undefined, plan: 'free', homeRegion: null, act };
    try {
      return await importArchive(reader, choices, (id, work) =>
        this.lifeCycle.asTenant(id, (tx) => work((sql, values) => tx.query(sql, values && [...values]))),
      );
    } finally {
      reader.close();
    }
  }

  async countIn(table: string): Promise<number> {
    const { rows } = await this.owner.query(`select count(*)::int as n from ${table}`);
    return rows[0].n;
  }
}

async function archiveOf(tenantId: string, tables: Rows, forged: Forged): Promise<Buffer> {
  const slug = `t-${tenantId.slice(-12)}`;
  const rows: Rows = { tenants: [{ id: tenantId, slug, name: 'Moved', plan: 'free' }], ...tables };
  const texts = Object.entries(rows).map(
    ([name, lines]) => [`tables/${name}.ndjson`, lines.map((line) => `${JSON.stringify(line)}\n`).join('')] as const,
  );
  const zip = new ZipFile();
  const files = [...texts, ...Object.entries(forged.texts ?? {})].map(([name, text]) => {
    zip.addBuffer(Buffer.from(text), name);
    return { path: name, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') };
  });
  const manifest: ArchiveManifest = {
    format: FORMAT,
    made_at: new Date().toISOString(),
    source: 'https://elsewhere.example',
    export: newId(),
    tenant: { id: tenantId, slug, name: 'Moved' },
    migrations: [],
    key: null,
    tables: Object.keys(rows),
    left_out: {},
    files,
  };
  const said = forged.manifest?.(manifest) ?? manifest;
  zip.addBuffer(Buffer.from(await signManifest(said, privateKey)), 'manifest.jws');
  zip.end();
  const whole = await buffer(zip.outputStream);
  return forged.bytes?.(whole) ?? whole;
}
