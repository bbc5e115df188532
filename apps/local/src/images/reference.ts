import { ImageError } from './image-error.js';

/** Stands where a digest will: no engine and no cluster takes it, and their message shows what to run. */
export const NOT_PINNED = 'sha256:not-pinned-yet--npm-run-images-pin';

/** The same for our own image in an overlay, whose digest a release writes. */
export const NOT_RELEASED = 'sha256:not-released-yet--npm-run-images-release';

const REFERENCE = /^([a-z0-9][a-z0-9.:/_-]*?)(?::(\w[\w.-]{0,127}))?(?:@(.+))?$/;
const DIGEST = /^sha256:([0-9a-f]{64})$/;
/** What a registry is when a name says none, as every engine reads it. */
const DEFAULT_REGISTRY = 'docker.io';

/** An image as an engine is told of it. */
export interface Reference {
  /** With the registry, where the file names one. */
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Reads `name:tag@digest`. @throws ImageError for what no engine would read */
export function parseReference(text: string): Reference {
  const [, name, tag, digest] = REFERENCE.exec(text) ?? [];
  if (name === undefined) throw new ImageError(`"${text}" names no image; write name:version.`);
  return { name, tag, digest };
}

/** Whether text is a digest that a registry could have given; one digit again and again is somebody's placeholder. */
export function isDigest(text: string | undefined): boolean {
  const [, digits = ''] = DIGEST.exec(text ?? '') ?? [];
  return new Set(digits).size > 1;
}

/** Where an image's manifests are asked for: the registry's name, and the repository as its API calls it. */
export function locationOf(name: string): { readonly registry: string; readonly repository: string } {
  const [first = '', ...rest] = name.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (isHost && first !== DEFAULT_REGISTRY) return { registry: first, repository: rest.join('/') };
  const own = isHost ? rest : [first, ...rest];
  return { registry: DEFAULT_REGISTRY, repository: own.length === 1 ? `library/${own[0]}` : own.join('/') };
}
