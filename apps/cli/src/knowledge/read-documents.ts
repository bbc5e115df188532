import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CliProblem } from '../problem.js';

/** A file as the platform takes it. */
export interface FileDocument {
  /** Where it was read from, below the folder. */
  readonly file: string;
  readonly document: {
    readonly collection: string;
    readonly name: string;
    readonly title: string;
    readonly tags?: readonly string[];
    readonly language?: string;
    readonly media_type: 'text/markdown' | 'text/plain';
    readonly text: string;
  };
}

const FILES_MAX = 20_000;
const MEDIA_TYPES: ReadonlyMap<string, 'text/markdown' | 'text/plain'> = new Map([
  ['.md', 'text/markdown'],
  ['.markdown', 'text/markdown'],
  ['.txt', 'text/plain'],
]);
const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---\r?\n/;
const frontSchema = z.object({
  title: z.string().optional(),
  tags: z.array(z.string()).optional(),
  language: z.string().optional(),
});
const TITLE_LENGTH_MAX = 200;

/** The markdown and text files of a folder and the folders in it, by name; hidden ones and links are passed over. @throws CliProblem */
export async function readDocuments(folder: string, collection: string): Promise<FileDocument[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw new CliProblem(`${folder} cannot be read: ${cause.message}`, undefined, { cause });
  });
  const files = entries
    .filter((entry) => entry.isFile() && MEDIA_TYPES.has(path.extname(entry.name).toLowerCase()))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.split(path.sep).some((part) => part.startsWith('.') || part === 'node_modules'))
    .sort();
  if (files.length === 0)
    throw new CliProblem(`${folder} has no documents.`, `They end in ${[...MEDIA_TYPES.keys()].join(', ')}.`);
  if (files.length > FILES_MAX)
    throw new CliProblem(`${folder} has ${files.length} documents.`, `Push at most ${FILES_MAX}, folder by folder.`);
  const documents: FileDocument[] = [];
  for (const file of files) documents.push(await readOne(folder, file, collection));
  return refuseSameName(documents);
}

async function readOne(folder: string, file: string, collection: string): Promise<FileDocument> {
  const raw = (await readFile(path.join(folder, file), 'utf8')).replace(/^\uFEFF/, '');
  const type = MEDIA_TYPES.get(path.extname(file).toLowerCase()) ?? 'text/plain';
  const front = type === 'text/markdown' ? FRONT_MATTER.exec(raw) : null;
  const { title, tags, language } = readFront(file, front?.[1]);
  const text = front === null ? raw : raw.slice(front[0].length);
  const heading = /^#\s+(.+)$/m.exec(text)?.[1]?.trim();
  const name = nameOf(file);
  return {
    file,
    document: {
      collection,
      name,
      title: (title ?? heading ?? name).slice(0, TITLE_LENGTH_MAX),
      ...(tags === undefined ? {} : { tags }),
      ...(language === undefined ? {} : { language }),
      media_type: type,
      text,
    },
  };
}

function readFront(file: string, text: string | undefined): z.infer<typeof frontSchema> {
  if (text === undefined) return {};
  try {
    return frontSchema.parse(parse(text) ?? {});
  } catch (cause) {
    throw new CliProblem(
      `${file}: what stands between its first two --- lines is no title, tags and language.`,
      undefined,
      {
        cause,
      },
    );
  }
}

/** A path as a document's name: its folders stay, other characters become hyphens. */
function nameOf(file: string): string {
  const parts = file
    .split(path.sep)
    .map((part) => part.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, ''));
  return parts.map((part) => (part === '' ? 'x' : part)).join('/');
}

function refuseSameName(documents: FileDocument[]): FileDocument[] {
  const seen = new Map<string, string>();
  for (const { file, document } of documents) {
    const other = seen.get(document.name);
    if (other !== undefined)
      throw new CliProblem(`${file} and ${other} would both be named ${document.name}.`, 'Rename one of them.');
    seen.set(document.name, file);
  }
  return documents;
}
