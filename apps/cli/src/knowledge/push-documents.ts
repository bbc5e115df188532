import { ApiProblem, type HttpDoor } from '#libs/journey';
import { z } from 'zod';
import { CliProblem } from '../problem.js';
import type { FileDocument } from './read-documents.js';

/** What a push did. */
export type PushCounts = z.infer<typeof countsSchema>;

const countsSchema = z.object({ created: z.number(), changed: z.number(), unchanged: z.number() });
const LINES_MAX = 500;
const BYTES_MAX = 7 * 1024 * 1024;

interface Batch {
  readonly documents: FileDocument[];
  readonly lines: string[];
  bytes: number;
}

/** Sends documents in batches, each of which is saved whole or not at all. @throws CliProblem with the files to correct */
export async function pushDocuments(
  door: HttpDoor,
  server: string,
  documents: readonly FileDocument[],
): Promise<PushCounts> {
  const path = `/v1/servers/${encodeURIComponent(server)}/documents/import`;
  const sum = { created: 0, changed: 0, unchanged: 0 };
  for (const batch of batchesOf(documents)) {
    const content = new TextEncoder().encode(batch.lines.join('\n'));
    const { created, changed, unchanged } = await door
      .upload({ path, mediaType: 'application/x-ndjson', content }, countsSchema)
      .catch((error: unknown) => refuse(error, batch.documents));
    sum.created += created;
    sum.changed += changed;
    sum.unchanged += unchanged;
  }
  return sum;
}

function batchesOf(documents: readonly FileDocument[]): Batch[] {
  const batches: Batch[] = [];
  for (const entry of documents) {
    const line = JSON.stringify(entry.document);
    const bytes = Buffer.byteLength(line) + 1;
    let batch = batches.at(-1);
    if (batch === undefined || batch.lines.length >= LINES_MAX || batch.bytes + bytes > BYTES_MAX)
      batches.push((batch = { documents: [], lines: [], bytes: 0 }));
    batch.documents.push(entry);
    batch.lines.push(line);
    batch.bytes += bytes;
  }
  return batches;
}

/** Names files where the platform names lines. */
function refuse(error: unknown, documents: readonly FileDocument[]): never {
  const problems = error instanceof ApiProblem ? (error.problem.errors ?? []) : [];
  if (problems.length === 0) throw error;
  const places = problems.map(({ pointer, message }) => {
    const [, index = '', ...rest] = pointer.split('/');
    return `${documents[Number(index)]?.file ?? pointer}${rest.length > 0 ? ` (${rest.join('/')})` : ''}: ${message}`;
  });
  throw new CliProblem(`Documents were refused:\n  ${places.join('\n  ')}`, 'Correct them and push again.', {
    cause: error,
  });
}
