/** What stands in the payload of a `built` frame. */
export interface BuiltParts {
  readonly manifest: Buffer;
  /** What the build has packed; undefined where the release is made of its manifest alone, or of an uploaded artefact. */
  readonly archive: Buffer | undefined;
}

/** A `built` frame's payload taken apart: the manifest, then `archiveBytes` bytes of the archive. */
export function builtParts(payload: Buffer, archiveBytes = 0): BuiltParts {
  if (archiveBytes === 0) return { manifest: payload, archive: undefined };
  const end = Math.max(0, payload.length - archiveBytes);
  return { manifest: payload.subarray(0, end), archive: payload.subarray(end) };
}
