import {
  canonicalJson,
  manifestSchema,
  releaseSourceSchema,
  type BuildReport,
  type AnyManifest,
  type ReleaseSource,
} from '#libs/protocol';
import { AppError } from '#libs/errors';
import { refuseOutOfBounds } from '../build-checks/bounds.js';
import { buildHttpTools } from '../http-tools/http-tools.js';
import { at, Problems } from '../build-checks/problems.js';
import { withToolLimits } from './tool-limits.js';
import { ReportNotes } from '../build-checks/report.js';
import type { EgressPort } from '../egress/egress-port.js';

/** What a build starts from: the release source as JSON, and the artefact it names, if any. */
export interface BuildInput {
  readonly serverSlug: string;
  readonly source: Uint8Array;
  readonly artefact?: Uint8Array | undefined;
  /** Where packages are installed from. */
  readonly registryUrl?: string | undefined;
  /** How upstream servers are asked, and for which exchange. */
  readonly egress?: { readonly port: EgressPort; readonly s: number } | undefined;
}

/** What a build yields: the manifest as canonical JSON, and what was left out or renamed. */
export interface BuiltRelease {
  readonly manifest: string;
  readonly report: BuildReport;
  /** What the build has packed, if it did. */
  readonly archive?: Buffer | undefined;
}

const SOURCE_BOUNDS = { depthMax: 128, nodesMax: 2_000_000 };

/** Builds a release. @throws AppError unprocessable with every problem, as pointers into the source or, for a document, into the document */
export async function buildRelease(input: BuildInput): Promise<BuiltRelease> {
  const parsed = parseSource(input.source);
  const notes = new ReportNotes();
  const { manifest, archive } = await buildParts(parsed, input, notes);
  const checked = manifestSchema.parse(withToolLimits(manifest, parsed));
  return { manifest: canonicalJson(checked), report: notes.finish(checked.tools), archive };
}

async function buildParts(
  source: ReleaseSource,
  input: BuildInput,
  notes: ReportNotes,
): Promise<{ readonly manifest: AnyManifest; readonly archive?: Buffer }> {
  const { serverSlug, registryUrl } = input;
  if (source.kind !== 'npm') return { manifest: await buildManifest(source, { ...input, notes }) };
  if (registryUrl === undefined) throw new AppError('unavailable', { message: 'No packages are installed here.' });
  const { buildNpm } = await import('../npm/build-npm.js');
  return buildNpm(serverSlug, source, registryUrl);
}

async function buildManifest(
  source: Exclude<ReleaseSource, { kind: 'npm' }>,
  { serverSlug, artefact, egress, notes }: Omit<BuildInput, 'source'> & { readonly notes: ReportNotes },
): Promise<AnyManifest> {
  if (source.kind === 'http') return buildHttpTools(serverSlug, source);
  if (source.kind === 'bundle') {
    const { buildBundle } = await import('../bundles/build-bundle.js');
    return buildBundle(serverSlug, source, artefact);
  }
  if (source.kind === 'remote') {
    if (egress === undefined) throw new AppError('internal', { detail: { reason: 'a build without a way out' } });
    const { buildRemote } = await import('../remote/build-remote.js');
    return buildRemote(serverSlug, source, { ...egress, notes });
  }
  if (source.kind === 'knowledge') {
    const { buildKnowledge } = await import('../knowledge/build-knowledge.js');
    return buildKnowledge(serverSlug, source);
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
