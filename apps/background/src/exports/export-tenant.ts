import { createHash, type KeyObject } from 'node:crypto';
import type { z } from 'zod';
import { appendAudit } from '#libs/audit';
import type { BlobStore } from '#libs/blobs';
import type { Database, Transaction } from '#libs/database';
import { exportTenantJob } from '#libs/jobs';
import type { TenantVault } from '#libs/secrets';
import { FORMAT, signManifest, type ArchiveManifest } from '#libs/tenant-archive';
import type { JobHandler, JobRun } from '../jobs/job-handler.js';
import { ArchiveWriter } from './archive-writer.js';
import { writeAudit } from './audit-snapshot.js';
import { beginExport, endExport, failExport, keepPart, sealedKeyOf, type OpenExport } from './exports.repository.js';
import { selectTables, writeTables, type ElsewhereFile, type SnapshotParts } from './tenant-snapshot.js';

type Payload = z.infer<typeof exportTenantJob.payload>;

/** What export keys are sealed for until the archive is made. */
const PURPOSE = 'tenant-export';
const PART_BYTES = 1024 * 1024;
const BYTES_MAX = 20 * 1024 ** 3;

/** What exporting works with. */
export interface ExportingParts {
  readonly database: Database;
  /** As `wharf_life_cycle`, which reads every table of the tenant. */
  readonly lifeCycle: Database;
  readonly blobs: BlobStore;
  readonly vault: TenantVault;
  /** Signs manifests. */
  readonly key: KeyObject;
  readonly publicUrl: string;
}

/** Makes the archive of a whole tenant: everything as it was at one moment, in parts as it comes, whatever its size. */
export class ExportTenant implements JobHandler<Payload> {
  readonly definition = exportTenantJob;
  readonly runMs = 60 * 60 * 1_000;

  constructor(private readonly parts: ExportingParts) {}

  async run({ tenantId, exportId }: Payload, { signal }: JobRun): Promise<void> {
    const { database, vault } = this.parts;
    const found = await database.asTenant(tenantId, async (tx) => {
      const open = await beginExport(tx, tenantId, exportId);
      const sealed = open && sealedKeyOf(open);
      const key = sealed && Buffer.from(await vault.open(tx, tenantId, `${PURPOSE}|${exportId}`, sealed), 'base64');
      return open && { open, key };
    });
    if (found === undefined) return;
    const writer = new ArchiveWriter();
    const progress = { file: '', files: 0 };
    const onFile = (file: string): void => void Object.assign(progress, { file, files: writer.files.length });
    const stopped = (): void => writer.fail(new Error('The export was stopped.'));
    signal.addEventListener('abort', stopped, { once: true });
    const failed = (error: unknown): never => {
      writer.fail(error instanceof Error ? error : new Error(String(error)));
      (writer.output as NodeJS.ReadableStream & { destroy(error?: Error): void }).destroy(); // a stream of yazl's own
      throw error;
    };
    const [, made] = await Promise.all([
      this.#write(tenantId, { exportId, ...found, writer, onFile }).catch(failed),
      this.#keep(tenantId, exportId, writer, progress).catch(failed),
    ]).finally(() => signal.removeEventListener('abort', stopped));
    await database.asTenant(tenantId, async (tx) => {
      if (!(await endExport(tx, tenantId, { id: exportId, ...made }))) return;
      await appendAudit(tx, tenantId, [
        {
          event: 'tenant.exported',
          actor: { kind: 'system', id: 'tenant-export' },
          target: `tenant:${tenantId}`,
          outcome: 'ok',
          details: { export: exportId, ...made },
        },
      ]);
    });
  }

  async giveUp({ tenantId, exportId }: Payload, _run: JobRun, reason: string): Promise<void> {
    await this.parts.database.asTenant(tenantId, (tx) => failExport(tx, tenantId, exportId, reason));
  }

  async #write(
    tenantId: string,
    job: {
      readonly exportId: string;
      readonly open: OpenExport;
      readonly key: Buffer | undefined;
      readonly writer: ArchiveWriter;
      readonly onFile: (path: string) => void;
    },
  ): Promise<void> {
    const { vault, key, publicUrl } = this.parts;
    const { writer, onFile } = job;
    const { head, elsewhere } = await this.parts.lifeCycle.asTenant(
      tenantId,
      async (tx) => {
        const { tables, leftOut } = await selectTables(tx, job.open.secrets);
        const snapshot: SnapshotParts = { tx, tenantId, writer, vault, exportKey: job.key, onFile };
        const files = [...(await writeTables(snapshot, tables)), ...(await writeAudit(snapshot, publicUrl))];
        const names = { tables: tables.map(({ name }) => name), left_out: leftOut };
        return { head: { ...(await describe(tx, tenantId)), ...names }, elsewhere: files };
      },
      { moment: 'the first statement', statementTimeoutMs: 60_000 },
    );
    for (const file of elsewhere) await this.#addObject(tenantId, writer, file);
    const manifest: ArchiveManifest = {
      format: FORMAT,
      made_at: new Date().toISOString(),
      source: publicUrl,
      export: job.exportId,
      key: job.open.key_envelope,
      ...head,
      files: [...writer.files],
    };
    writer.end('manifest.jws', await signManifest(manifest, key));
  }

  async #addObject(tenantId: string, writer: ArchiveWriter, { path, ...placed }: ElsewhereFile): Promise<void> {
    await writer.add(path, [await this.parts.blobs.read(tenantId, { ...placed, content: null })]);
  }

  async #keep(
    tenantId: string,
    id: string,
    writer: ArchiveWriter,
    progress: object,
  ): Promise<{ bytes: number; digest: string }> {
    const whole = createHash('sha256');
    let [number, bytes] = [0, 0];
    let waiting = Buffer.alloc(0);
    const keep = async (content: Buffer): Promise<void> => {
      const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
      const told = { ...progress, bytes };
      await this.parts.database.asTenant(tenantId, (tx) =>
        keepPart(tx, tenantId, { id, number, digest, content, progress: told }),
      );
      number += 1;
    };
    for await (const chunk of writer.output as AsyncIterable<Buffer>) {
      whole.update(chunk);
      bytes += chunk.length;
      if (bytes > BYTES_MAX) throw new Error(`The archive is larger than ${BYTES_MAX} bytes.`);
      waiting = Buffer.concat([waiting, chunk]);
      for (; waiting.length >= PART_BYTES; waiting = waiting.subarray(PART_BYTES))
        await keep(waiting.subarray(0, PART_BYTES));
    }
    if (waiting.length > 0) await keep(waiting);
    return { bytes, digest: `sha256:${whole.digest('hex')}` };
  }
}

async function describe(tx: Transaction, tenantId: string): Promise<Pick<ArchiveManifest, 'tenant' | 'migrations'>> {
  const [tenant]: [ArchiveManifest['tenant']] = await tx.query(`select id, slug, name from tenants where id = $1`, [
    tenantId,
  ]);
  const migrations: Array<{ name: string }> = await tx.query(`select name from migrations order by id`);
  return { tenant, migrations: migrations.map(({ name }) => name) };
}
