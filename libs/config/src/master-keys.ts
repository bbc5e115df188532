import { z } from 'zod';
import { Secret } from './secret.js';

const KEY_LENGTH_MIN = 43;
const KEYS_MAX = 4;

/**
 * The master key and, while it is being replaced, the others that rows may be sealed under. It reveals the first one,
 * which seals; the others open.
 */
export class MasterKeys extends Secret {
  readonly #kept = new Map<string, Buffer>();

  constructor(
    current: string,
    readonly others: readonly Secret[] = [],
  ) {
    super(current);
  }

  /** Takes over a derived key that stays what it is when the master key is replaced. */
  learn(purpose: string, key: Buffer): void {
    this.#kept.set(purpose, key);
  }

  /** The derived key of a purpose that stays; undefined where none was learnt. */
  kept(purpose: string): Buffer | undefined {
    return this.#kept.get(purpose);
  }
}

/** A master key with the others that open beside it, the one that seals first. */
export function ringOf(masterKey: Secret): readonly Secret[] {
  return masterKey instanceof MasterKeys ? [masterKey, ...masterKey.others] : [masterKey];
}

/** All master keys as the setting has them, for what is kept or given to a process of our own. */
export function revealRing(masterKey: Secret): string {
  return ringOf(masterKey)
    .map((key) => key.reveal())
    .join(',');
}

/** What is wrong with a list of master keys; undefined where nothing is. It names keys by their place alone. */
function problemWith(keys: readonly string[]): string | undefined {
  if (keys.length > KEYS_MAX)
    return `has ${keys.length} keys; at most ${KEYS_MAX} are of use, the one that seals first`;
  const short = keys.findIndex((key) => key.length < KEY_LENGTH_MIN);
  if (short >= 0)
    return `key ${short + 1} is shorter than ${KEY_LENGTH_MIN} characters; make one with \`npm run keys -- make\``;
  const again = keys.findIndex((key, index) => keys.indexOf(key) < index);
  if (again >= 0) return `key ${again + 1} is there twice; name each key once`;
  return undefined;
}

/** Keys with commas between, the one that seals first: 32 random bytes in base64 each. */
export function masterKeysText(): z.ZodType<MasterKeys, string> {
  return z.string().transform((text, context) => {
    const keys = text.split(',').map((key) => key.trim());
    const problem = problemWith(keys);
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    }
    const [current = '', ...others] = keys;
    return new MasterKeys(
      current,
      others.map((key) => new Secret(key)),
    );
  });
}
