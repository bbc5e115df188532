import type { BuildReport, RuntimeFrame } from '#libs/protocol';

/** What a build has made. */
interface Built {
  readonly manifest: Buffer;
  readonly digest: string;
  readonly report: BuildReport;
  readonly archive: Buffer | undefined;
}

/** The frame that answers a build, and its payload: the manifest, then what was packed. */
export function builtFrame(s: number, { manifest, digest, report, archive }: Built): [RuntimeFrame, Buffer] {
  if (archive === undefined) return [{ t: 'built', s, digest, report }, manifest];
  return [{ t: 'built', s, digest, report, archiveBytes: archive.length }, Buffer.concat([manifest, archive])];
}
