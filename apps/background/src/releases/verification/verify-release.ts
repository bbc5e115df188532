import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { readManifest, toolAccess, type AnyManifest, type RuntimeClient, type Supplier } from '#libs/protocol';
import type { ProbeRunner } from '../../probes/probe-runner.js';
import type { ReleaseSubject } from '../../release-worker/ask-release.js';
import { passProbes } from './pass-probes.js';
import { probeLists, refuseDifference } from './probe-lists.js';
import type { PublishRequest } from '../publishing.repository.js';
import { scanArtefact } from './scan-artefact.js';

/** What a release is verified with. */
export interface VerificationParts {
  readonly database: Database;
  readonly runtime: RuntimeClient;
  readonly supplier: Supplier;
  readonly probes: ProbeRunner;
  /** Asked for known vulnerabilities. */
  readonly registryUrl?: string | undefined;
}

/**
 * Verifies a release before any traffic: what it is made of, that its worker starts and serves what MCP says and its
 * manifest promises, and that the tenant's own probes pass.
 * @returns notes about what does not keep it from going live
 * @throws JobRefused saying what is wrong and what to do, AppError where it could not be verified now
 */
export async function verifyRelease(
  parts: VerificationParts,
  request: PublishRequest,
  subject: ReleaseSubject,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const manifest = await manifestOf(parts.supplier, subject);
  const notes = await scanArtefact(parts.registryUrl, manifest, signal);
  const listed = await probeLists(parts.runtime, subject, signal);
  refuseDifference(
    manifest.tools.flatMap((tool) => (subject.writes || toolAccess(tool) === 'read' ? [tool.name] : [])),
    listed,
  );
  await passProbes(parts, request, subject, signal);
  return notes;
}

async function manifestOf(supplier: Supplier, { tenantId, digest }: ReleaseSubject): Promise<AnyManifest> {
  const { manifests } = await supplier.supply(tenantId, [digest], false);
  const manifest = manifests.get(digest);
  if (manifest === undefined) throw new AppError('internal', { detail: { digest } });
  return readManifest(manifest);
}
