import {
  canonicalJson,
  manifestSchema,
  releaseSourceSchema,
  type BuildReport,
  type AnyManifest,
  type ReleaseSource,
} from '#libs/protocol';
import { AppError } from '#libs/errors';
import { refuseOutOfBounds } from './bounds.js';
import { buildHttpTools } from './http-tools.js';
import { at, Problems } from './problems.js';
import { ReportNotes } from './report.js';

/** What a build starts from: the release source as JSON, and the artefact it names, if any. */
export interface BuildInput {
  readonly serverSlug: string;
  readonly source: Uint8Array;
  readonly artefact?: Uint8Array | undefined;
}

/** What a build yields: the manifest as canonical JSON, and what was left out or renamed. */
export interface BuiltRelease {
  readonly manifest: string;
  readonly report: BuildReport;
}

const SOURCE_BOUNDS = { depthMax: 128, nodesMax: 2_000_000 };

/** Builds a release. @throws AppError unprocessable with every problem, as pointers into the source or, for a document, into the document */
export async function buildRelease({ serverSlug, source, artefact }: BuildInput): Promise<BuiltRelease> {
  const parsed = parseSource(source);
  const notes = new ReportNotes();
  const manifest = await buildManifest(parsed, { serverSlug, artefact, notes });
  const checked = manifestSchema.parse(manifest);
  return { manifest: canonicalJson(checked), report: notes.finish(checked.tools) };
}

async function buildManifest(
  source: ReleaseSource,
  { serverSlug, artefact, notes }: { serverSlug: string; artefact: Uint8Array | undefined; notes: ReportNotes },
): Promise<AnyManifest> {
  if (source.kind === 'http') return buildHttpTools(serverSlug, source);
  if (source.kind === 'bundle') {
    const { buildBundle } = await import('../bundles/build-bundle.js');
    return buildBundle(serverSlug, source, artefact);
  }
  const { importOpenApi } = await import('../openapi/import-openapi.js');
  return importOpenApi(serverSlug, source, artefact, notes);
}

function parseSource(bytes: Uint8Array): ReleaseSource {
  const value = parseJson(bytes);
  const problems = new Problems();
  refuseOutOfBounds(problems, '', value, SOURCE_BOUNDS);
  problems.refuse();
  const result = releaseSourceSchema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) problems.add(at('', ...issue.path.map(String)), issue.message);
  problems.refuse();
  throw new AppError('unprocessable');
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new AppError('malformed_json', { message: 'The release source is not valid JSON.', cause: error });
  }
}
