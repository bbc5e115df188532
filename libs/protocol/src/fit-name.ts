import { sha256Digest } from './canonical-json.js';

const NAME_CHARACTERS_MAX = 64;
const HASH_CHARACTERS = 8;

/** The name itself, or its beginning with a hash of the whole where it is longer than every major client accepts. */
export function fitName(name: string): string {
  return name.length <= NAME_CHARACTERS_MAX ? name : withHash(name, name);
}

/** A name told apart from others alike by a hash of what it stands for; stable while that does not change. */
export function withHash(name: string, identity: string): string {
  const hash = sha256Digest(identity).slice('sha256:'.length, 'sha256:'.length + HASH_CHARACTERS);
  return `${name.slice(0, NAME_CHARACTERS_MAX - HASH_CHARACTERS - 1)}_${hash}`;
}
