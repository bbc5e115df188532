import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CliProblem } from '../problem.js';

/** `wharf.json`: what a folder is deployed as. What a source may hold is the platform's to say. */
const manifestSchema = z.strictObject({
  server: z.string().optional(),
  name: z.string().optional(),
  version: z.string().optional(),
  source: z.looseObject({ kind: z.string() }),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The manifest's name in a folder. */
export const MANIFEST_FILE = 'wharf.json';

/** Reads a manifest; a text in `source.document` that names a file beside it stands for what is in that file. */
export async function readManifest(file: string): Promise<Manifest> {
  const parsed = manifestSchema.safeParse(await readDocument(file));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new CliProblem(`${file} is no manifest: ${problems.join('; ')}`, 'Make one with `wharf init`.');
  }
  const { source } = parsed.data;
  const { document } = source;
  if (typeof document !== 'string' || document.includes('\n')) return parsed.data;
  const text = await readText(path.resolve(path.dirname(file), document));
  return { ...parsed.data, source: { ...source, document: text } };
}

/** A JSON or YAML file. @throws CliProblem where it is neither */
export async function readDocument(file: string): Promise<unknown> {
  const text = await readText(file);
  try {
    return parse(text);
  } catch (cause) {
    throw new CliProblem(
      `${file} is neither JSON nor YAML: ${cause instanceof Error ? cause.message : ''}`,
      undefined,
      {
        cause,
      },
    );
  }
}

/** A file's text. @throws CliProblem where it cannot be read */
export function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: Error) => {
    throw new CliProblem(`${file} cannot be read: ${cause.message}`, undefined, { cause });
  });
}
