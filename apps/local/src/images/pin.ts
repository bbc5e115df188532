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
  writeDown(root, places, resolved);
  return resolved;
}

/** A line of a list: `name:version@digest`; what follows a `#` is for its reader. */
const COMMENT = /(?:^|\s)#.*$/;

/**
 * Writes the digests of a list instead, for where no registry can be reached: a line each, `name:version@sha256:…`, as
 * somebody has looked them up elsewhere. Nothing here can tell whether they are right. @throws ImageError, and no file is changed
 */
export function pinFrom(root: string, list: string): Lock {
  const places = namedPlaces(root);
  const named = new Set(places.map(({ version }) => version));
  const listed = new Map<string, string>();
  for (const line of list.split('\n').map((text) => text.replace(COMMENT, '').trim())) {
    if (line === '') continue;
    const { name, tag = '', digest } = parseReference(line);
    const version = `${name}:${tag}`;
    if (digest === undefined || !isDigest(digest))
      throw new ImageError(`"${line}" has no digest that a registry gives; write name:version@sha256:….`);
    if (!named.has(version))
      throw new ImageError(`The list has ${version}, which no file names; write its version there first.`);
    if ((listed.get(version) ?? digest) !== digest)
      throw new ImageError(`The list has two digests for ${version}; keep one.`);
    listed.set(version, digest);
  }
  const missing = [...named].filter((version) => !listed.has(version));
  if (missing.length > 0) throw new ImageError(`The list has no digest for ${missing.join(', ')}.`);
  writeDown(root, places, listed);
  return listed;
}

function writeDown(root: string, places: readonly NamedPlace[], digests: ReadonlyMap<string, string>): void {
  rewrite(
    root,
    places.map((place) => ({ ...place, wanted: `${place.version}@${digests.get(place.version)}` })),
  );
  writeLock(root, digests);
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
