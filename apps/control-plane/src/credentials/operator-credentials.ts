import { createHash, randomBytes } from 'node:crypto';

/** What an operator's account is proved by. */
export type OperatorSecretKind = 'session' | 'key' | 'invitation';

const PREFIXES = { session: 'whos_', key: 'whok_', invitation: 'whoi_' } as const;
const SHAPE = /^who[sk]_[\w-]{43}$/;

/** A new secret of an operator: the text that is shown once, and what is kept of it. */
export function mintOperatorSecret(kind: OperatorSecretKind): {
  readonly text: string;
  readonly hash: string;
  readonly prefix: string;
} {
  const secret = randomBytes(32).toString('base64url');
  const text = `${PREFIXES[kind]}${secret}`;
  return { text, hash: hashOperatorSecret(text), prefix: `${PREFIXES[kind]}…${secret.slice(0, 6)}` };
}

/** SHA-256 of a secret's text in hex; it has 256 random bits, so a fast hash is enough. */
export function hashOperatorSecret(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether a text may be a session or key of an operator's account. */
export function isOperatorSecret(text: string): boolean {
  return SHAPE.test(text);
}
