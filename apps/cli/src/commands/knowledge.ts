import { queryOf } from '#libs/journey';
import { z } from 'zod';
import { pushDocuments } from '../knowledge/push-documents.js';
import { readDocuments } from '../knowledge/read-documents.js';
import { table } from '../output/table.js';
import type { AddCommands, Run } from './command.js';

const pageSchema = z.object({
  documents: z.array(
    z.object({
      uri: z.string(),
      title: z.string(),
      tags: z.array(z.string()),
      bytes: z.number(),
      version: z.number(),
      updated_at: z.string(),
    }),
  ),
  next_cursor: z.string().nullable(),
});
const PAGES_MAX = 1_000;

interface ListOptions {
  readonly collection?: string;
  readonly tag?: string;
}

/** `wharf knowledge push|list` */
export const addKnowledge: AddCommands = (program, run) => {
  const knowledge = program.command('knowledge').description('documents that a knowledge server serves');
  knowledge
    .command('push <folder>')
    .description('save a folder’s markdown and text files; those that say the same stay as they are')
    .requiredOption('--server <slug>', 'whose documents they become')
    .option('--collection <name>', 'the collection they go to', 'notes')
    .action((folder: string, options: { server: string; collection: string }) => push(run(), folder, options));
  knowledge
    .command('list <server>')
    .description('a server’s documents')
    .option('--collection <name>', 'only of this collection')
    .option('--tag <tag>', 'only with this tag')
    .action((server: string, options: ListOptions) => list(run(), server, options));
};

async function push(run: Run, folder: string, options: { server: string; collection: string }): Promise<void> {
  const documents = await readDocuments(folder, options.collection);
  const door = await (await run.session()).door();
  const counts = await pushDocuments(door, options.server, documents);
  const { created, changed, unchanged } = counts;
  run.output.result(counts, `${created} new, ${changed} changed, ${unchanged} as they were.`);
}

async function list(run: Run, server: string, { collection, tag }: ListOptions): Promise<void> {
  const door = await (await run.session()).door();
  const documents: z.infer<typeof pageSchema>['documents'] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = queryOf({ limit: 500, collection, tag, cursor });
    const path = `/v1/servers/${encodeURIComponent(server)}/documents${query}`;
    const answer = await door.ask({ method: 'GET', path }, pageSchema);
    documents.push(...answer.documents);
    cursor = answer.next_cursor ?? undefined;
    if (cursor === undefined) break;
  }
  const rows = documents.map(({ uri, title, version, bytes, updated_at: at }) => [
    uri,
    title,
    String(version),
    String(bytes),
    at,
  ]);
  run.output.result({ documents }, table(['URI', 'TITLE', 'VERSION', 'BYTES', 'UPDATED'], rows));
}
