import type { AnyManifest } from '#libs/protocol';
import { JobRefused } from '../../jobs/job-handler.js';
import { knownVulnerabilities, type KnownVulnerability } from './known-vulnerabilities.js';

const SHOWN = 5;
const REFUSED = new Set<KnownVulnerability['severity']>(['high', 'critical']);

/**
 * Looks at what a bundle is made of, which its build wrote down: its paths, links and size were checked there.
 * @returns notes about what does not keep it from going live
 * @throws JobRefused naming packages with a known vulnerability of high or critical severity
 */
export async function scanArtefact(
  registryUrl: string | undefined,
  manifest: AnyManifest,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (manifest.kind !== 'bundle') return [];
  const { packages } = manifest.bundle;
  if (packages === undefined) return ['The bundle has no package-lock.json, so its packages are not known.'];
  const { installScripts } = packages;
  const scripts =
    installScripts.length === 0 ? [] : [`Install scripts that are never run: ${namesOf(installScripts)}.`];
  const report = await knownVulnerabilities(registryUrl, packages, signal);
  if (report.kind === 'skipped') return [...scripts, report.note];
  refuse(report.found.filter(({ severity }) => REFUSED.has(severity)));
  const lesser = report.found.filter(({ severity }) => !REFUSED.has(severity));
  return [...scripts, ...(lesser.length === 0 ? [] : [`Known vulnerabilities: ${namesOf(lesser.map(shown))}.`])];
}

function refuse(found: readonly KnownVulnerability[]): void {
  if (found.length === 0) return;
  throw new JobRefused(
    `The bundle holds packages with known vulnerabilities: ${namesOf(found.map(shown))}. ` +
      'Update them outside the versions named, pack the bundle again and build a new release.',
  );
}

function shown({ name, version, severity, title, url, vulnerableVersions }: KnownVulnerability): string {
  return `${name} ${version} (${severity}: ${title}, ${vulnerableVersions}, ${url})`;
}

function namesOf(names: readonly string[]): string {
  const rest = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${rest}`;
}
