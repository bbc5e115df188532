import { ImageError } from './image-error.js';
import { LOCK_FILE, readLock, writeLock, type Lock } from './lock.js';
import { findPlaces, rewrite, type Place } from './places.js';
import { isDigest, NOT_PINNED, parseReference, type Reference } from './reference.js';
import { resolveDigest, type RegistryOptions } from './registry.js';

type NamedPlace = Place & { readonly reference: Reference; readonly version: string };

function namedPlaces(root: string): NamedPlace[] {
  return findPlaces(root).map((place) => {
    const reference = parseReference(place.text);
    if (reference.tag === undefined || reference.tag === 'latest')
      throw new ImageError(`${place.file}:${place.line} leaves the version of ${reference.name} open; write one.`);
    return { ...place, reference, version: `${reference.name}:${reference.tag}` };
  });
}

/**
 * Asks every image's registry for the digest of the version that our files name, writes the lock file, and the digests
 * into the files. All are known before anything is written. @throws ImageError
 */
export async function pin(root: string, options: RegistryOptions = {}): Promise<Lock> {
  const places = namedPlaces(root);
  const resolved = new Map<string, string>();
  for (const { version, reference } of places) {
    if (resolved.has(version)) continue;
    resolved.set(version, await resolveDigest(reference.name, reference.tag ?? '', options));
  }
  rewrite(
    root,
    places.map((place) => ({ ...place, wanted: `${place.version}@${resolved.get(place.version)}` })),
  );
  writeLock(root, resolved);
  return resolved;
}

/** What is not as it should be, a sentence each: files that differ from the lock, and what the lock has too much of. */
export function findFaults(root: string): string[] {
  const lock = readLock(root);
  const places = namedPlaces(root);
  const wrong = places.flatMap(({ file, line, version, reference }) => {
    const locked = lock.get(version);
    if (locked === undefined) return [`${file}:${line} names ${version}, which ${LOCK_FILE} does not know.`];
    const wanted = locked ?? NOT_PINNED;
    return reference.digest === wanted
      ? []
      : [`${file}:${line} has ${reference.digest ?? 'no digest'} for ${version}, ${LOCK_FILE} has ${wanted}.`];
  });
  const named = new Set(places.map(({ version }) => version));
  const idle = [...lock.keys()].filter((version) => !named.has(version));
  return [...wrong, ...idle.map((version) => `${LOCK_FILE} knows ${version}, which no file names.`)];
}

/** The versions that stand without a digest yet. */
export function findUnpinned(root: string): string[] {
  return [...readLock(root)].flatMap(([version, digest]) => (isDigest(digest ?? undefined) ? [] : [version]));
}
