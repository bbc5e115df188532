import type { Ask } from '#libs/tenant-archive';
import type { ArchiveReader } from './archive-reader.js';

const CHUNK_BYTES = 1024 * 1024;

/** What the log is kept with. */
interface AuditParts {
  readonly ask: Ask;
  readonly reader: ArchiveReader;
  readonly signal?: AbortSignal | undefined;
}

/** Keeps the log that the tenant had elsewhere as it came, with its proofs: `wharf-verify` checks it, and nobody continues it. */
export async function importAudit({ ask, reader, signal }: AuditParts): Promise<void> {
  for (const { path } of reader.manifest.files.filter((file) => file.path.startsWith('audit/'))) {
    let number = 0;
    let waiting = Buffer.alloc(0);
    for await (const part of (await reader.open(path)) as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      waiting = Buffer.concat([waiting, part]);
      for (; waiting.length >= CHUNK_BYTES; waiting = waiting.subarray(CHUNK_BYTES)) {
        await keep(ask, reader, { path, number, content: waiting.subarray(0, CHUNK_BYTES) });
        number += 1;
      }
    }
    if (waiting.length > 0) await keep(ask, reader, { path, number, content: waiting });
  }
}

/** A log may have come from elsewhere before: each is under the id of the export that it came with. */
async function keep(
  ask: Ask,
  { manifest }: ArchiveReader,
  { path, number, content }: { readonly path: string; readonly number: number; readonly content: Buffer },
): Promise<void> {
  await ask(`insert into imported_audit_files (tenant_id, path, number, content) values ($1, $2, $3, $4)`, [
    manifest.tenant.id,
    path.replace(/^audit\//, `audit/${manifest.export}/`),
    number,
    content,
  ]);
}
