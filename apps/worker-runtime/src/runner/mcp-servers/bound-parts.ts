import { AppError } from '#libs/errors';
import { refuseNewerManifest, sha256Digest, type AnyManifest, type Mount, type ToolView } from '#libs/protocol';
import { Catalogue } from './catalogue.js';

/** The manifests in a `bind` frame's payload, checked against their digests. @throws AppError internal, or unavailable where one is of a newer version */
export function readManifests(
  parts: ReadonlyArray<{ readonly digest: string; readonly bytes: number }>,
  payload: Buffer,
): Map<string, AnyManifest | ToolView> {
  const manifests = new Map<string, AnyManifest | ToolView>();
  let offset = 0;
  for (const { digest, bytes } of parts) {
    const text = payload.subarray(offset, offset + bytes);
    if (sha256Digest(text) !== digest)
      throw new AppError('internal', { message: 'A release does not match its digest.', detail: { digest } });
    const part: unknown = JSON.parse(text.toString('utf8'));
    refuseNewerManifest(part);
    manifests.set(digest, part as AnyManifest | ToolView); // built by us; the digest above says it is unaltered
    offset += bytes;
  }
  return manifests;
}

/** What a worker is bound to: its releases, and its view among them. @throws AppError internal */
export function catalogueOf(
  mounts: readonly Mount[],
  parts: ReadonlyMap<string, AnyManifest | ToolView>,
  viewDigest: string | undefined,
): Catalogue {
  const found = viewDigest === undefined ? undefined : parts.get(viewDigest);
  if (viewDigest !== undefined && found?.kind !== 'view')
    throw new AppError('internal', { message: 'The view of this route is missing.', detail: { digest: viewDigest } });
  const manifests = new Map([...parts].flatMap(([digest, part]) => (part.kind === 'view' ? [] : [[digest, part]])));
  return new Catalogue(mounts, manifests, found?.kind === 'view' ? found : undefined);
}
