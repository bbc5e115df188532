import { satisfies } from 'semver';
import { z } from 'zod';
import { fetchPlain, parseJson } from '#libs/http';
import type { PackedPackages } from '#libs/protocol';

const ANSWER_MS = 8_000;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

/** The answer of a registry's audit end point: advisories by package (npm, "bulk advisories"). */
const advisoriesSchema = z.record(
  z.string(),
  z.array(
    z.object({
      url: z.string().max(500),
      title: z.string().max(500),
      severity: z.enum(['info', 'low', 'moderate', 'high', 'critical']),
      vulnerable_versions: z.string().max(2_000),
    }),
  ),
);

/** A known vulnerability of a package in a bundle. */
export interface KnownVulnerability {
  readonly name: string;
  readonly version: string;
  readonly severity: 'info' | 'low' | 'moderate' | 'high' | 'critical';
  readonly title: string;
  readonly url: string;
  readonly vulnerableVersions: string;
}

/** What a registry knows of some packages, or why it could not be asked. */
export type VulnerabilityReport =
  | { readonly kind: 'checked'; readonly found: readonly KnownVulnerability[] }
  | { readonly kind: 'skipped'; readonly note: string };

/** Asks a registry's audit end point about packages. Never throws: a registry that fails is a note, not a fault of the release. */
export async function knownVulnerabilities(
  registryUrl: string | undefined,
  { versions }: PackedPackages,
  signal: AbortSignal,
): Promise<VulnerabilityReport> {
  if (registryUrl === undefined)
    return { kind: 'skipped', note: 'No registry is set to ask for known vulnerabilities.' };
  try {
    const { status, body } = await fetchPlain(
      (plain) =>
        fetch(`${registryUrl.replace(/\/$/, '')}/-/npm/v1/security/advisories/bulk`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...plain },
          body: JSON.stringify(versions),
          redirect: 'error',
          signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
        }),
      ANSWER_BYTES_MAX,
    );
    if (status < 200 || status > 299) throw new Error(`status ${status}`);
    const advisories = advisoriesSchema.parse(parseJson(body, { depthMax: 16, keysMax: 500_000 }));
    return { kind: 'checked', found: affected(advisories, versions) };
  } catch {
    signal.throwIfAborted();
    return {
      kind: 'skipped',
      note: 'The registry could not be asked for known vulnerabilities; publish again to try.',
    };
  }
}

function affected(
  advisories: z.infer<typeof advisoriesSchema>,
  versions: PackedPackages['versions'],
): KnownVulnerability[] {
  return Object.entries(advisories).flatMap(([name, known]) =>
    known.flatMap(({ vulnerable_versions: vulnerableVersions, ...advisory }) =>
      (Object.hasOwn(versions, name) ? (versions[name] ?? []) : [])
        .filter((version) => satisfies(version, vulnerableVersions, { includePrerelease: true, loose: true }))
        .map((version) => ({ name, version, ...advisory, vulnerableVersions })),
    ),
  );
}
