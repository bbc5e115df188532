import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CliProblem } from '../problem.js';
import { packFolder } from './bundle.js';
import { MANIFEST_FILE, readDocument, readManifest, readText } from './manifest.js';

/** What is to be deployed, before it is uploaded. */
export interface Deployable {
  /** A name for the server where none was given. */
  readonly server?: string | undefined;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  /** As the management API takes it, but for the artefact. */
  readonly source: Readonly<Record<string, unknown>> & { readonly kind: string };
  /** Uploaded first; its digest becomes `source.artefact`. */
  readonly upload?: { readonly mediaType: string; readonly content: Uint8Array<ArrayBuffer> };
}

const ZIP = 'application/zip';
const INLINE_BYTES_MAX = 3 * 1024 * 1024;
const NPM = /^npm:((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:@(.+))?$/;

const bundleSchema = z.object({
  name: z.string(),
  version: z.string().optional(),
  display_name: z.string().optional(),
});

/** Finds out what a path, or `npm:package@version`, is. @throws CliProblem where it is nothing that can be deployed */
export async function readDeployable(what: string): Promise<Deployable> {
  const npm = NPM.exec(what);
  if (npm !== null) {
    const [, name = '', version] = npm;
    const source = { kind: 'npm', package: name, ...(version === undefined ? {} : { version }) };
    return { server: slugOf(name), name, source };
  }
  const found = await stat(what).catch(() => undefined);
  if (found === undefined)
    throw new CliProblem(`There is no file or folder ${what}.`, 'For a package, write npm:name.');
  return found.isDirectory() ? readFolder(what) : readOne(what);
}

async function readFolder(folder: string): Promise<Deployable> {
  const has = (name: string): Promise<boolean> =>
    stat(path.join(folder, name)).then(
      () => true,
      () => false,
    );
  if (await has(MANIFEST_FILE)) return readManifest(path.join(folder, MANIFEST_FILE));
  if (!(await has('manifest.json'))) {
    throw new CliProblem(
      `${folder} has neither ${MANIFEST_FILE} nor the manifest.json of an MCP bundle.`,
      'Begin with `wharf init`.',
    );
  }
  return bundle(await readDocument(path.join(folder, 'manifest.json')), await packFolder(folder), folder);
}

async function readOne(file: string): Promise<Deployable> {
  if (path.basename(file) === MANIFEST_FILE) return readManifest(file);
  if (/\.(mcpb|dxt|zip)$/.test(file)) {
    const content = new Uint8Array(await readFile(file));
    return { server: slugOf(path.parse(file).name), source: { kind: 'bundle' }, upload: { mediaType: ZIP, content } };
  }
  const document = z
    .looseObject({ openapi: z.string(), info: z.looseObject({ title: z.string() }) })
    .safeParse(await readDocument(file));
  if (!document.success) throw new CliProblem(`${file} is no OpenAPI 3 document and no ${MANIFEST_FILE}.`);
  const { title } = document.data.info;
  const text = await readText(file);
  const content = new TextEncoder().encode(text);
  if (content.length <= INLINE_BYTES_MAX) {
    return { server: slugOf(title), name: title, source: { kind: 'openapi', document: text } };
  }
  const mediaType = file.endsWith('.json') ? 'application/json' : 'application/yaml';
  return { server: slugOf(title), name: title, source: { kind: 'openapi' }, upload: { mediaType, content } };
}

function bundle(manifest: unknown, content: Uint8Array<ArrayBuffer>, folder: string): Deployable {
  const parsed = bundleSchema.safeParse(manifest);
  if (!parsed.success) throw new CliProblem(`${path.join(folder, 'manifest.json')} is no manifest of an MCP bundle.`);
  const { name, version, display_name: title } = parsed.data;
  const upload = { mediaType: ZIP, content };
  return { server: slugOf(name), name: title ?? name, version, source: { kind: 'bundle' }, upload };
}

/** A name as it can stand in a URL. */
function slugOf(text: string): string {
  const slug = text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return slug
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
}
