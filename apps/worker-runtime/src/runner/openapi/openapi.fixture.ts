import { AppError, type Problem } from '#libs/errors';
import type { BuildReport, Manifest, ToolDefinition } from '#libs/protocol';
import { buildRelease } from '../build/build-release.js';

/** A built manifest and its report. */
export interface Imported {
  readonly manifest: Manifest;
  readonly report: BuildReport;
  /** The tool of a name. @throws Error when there is none */
  readonly tool: (name: string) => ToolDefinition;
}

/** Imports a document (an object, or text as an artefact) with the settings of its release source. */
export async function importDocument(document: object | string, settings: object = {}): Promise<Imported> {
  const artefact = typeof document === 'string' ? Buffer.from(document) : undefined;
  const given = artefact === undefined ? { document } : { artefact: `sha256:${'0'.repeat(64)}` };
  const source = Buffer.from(JSON.stringify({ kind: 'openapi', ...given, ...settings }));
  const built = await buildRelease({ serverSlug: 'shop', source, artefact });
  const manifest: Manifest = JSON.parse(built.manifest);
  const tool = (name: string): ToolDefinition => {
    const found = manifest.tools.find((one) => one.name === name);
    if (found === undefined)
      throw new Error(`no tool ${name}; there are ${manifest.tools.map((one) => one.name).join(', ')}`);
    return found;
  };
  return { manifest, report: built.report, tool };
}

/** The problems that a document is refused with. @throws Error when it is not refused as unprocessable */
export async function problemsOf(document: object | string, settings: object = {}): Promise<readonly Problem[]> {
  try {
    await importDocument(document, settings);
  } catch (error) {
    if (error instanceof AppError && error.code === 'unprocessable') return error.problems;
    throw error;
  }
  throw new Error('the document was not refused');
}

/** A document of these paths, with whatever else it should have. */
export function documentOf(paths: object, rest: object = {}): object {
  return {
    openapi: '3.0.3',
    info: { title: 'Shop', version: '1' },
    servers: [{ url: 'https://api.example.com/v1/' }],
    paths,
    ...rest,
  };
}

/** An operation that needs nothing but what is given. */
export function operation(rest: object = {}): object {
  return { responses: { 204: { description: 'Done.' } }, ...rest };
}

/** A JSON request body of a schema. */
export function jsonBody(schema: object, required = true): object {
  return { requestBody: { required, content: { 'application/json': { schema } } } };
}
