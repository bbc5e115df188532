import { createHash, createHmac } from 'node:crypto';
import type { Secret } from '#libs/config';
import { deriveLasting } from '#libs/secrets';
import type { Visit } from './steps.js';

const PROGRAM = /^[A-Za-z0-9._+-]{1,40}(?:\/[A-Za-z0-9._+-]{1,20})?/;
const REGISTERED = /^[A-Za-z0-9_-]{8,64}$/;
const URL_LENGTH_MAX = 200;

/** Turns who knocks into marks that tell two visits apart and nothing else: keyed hashes, never an address. */
export class Visitors {
  readonly #key: Buffer;

  constructor(masterKey: Secret) {
    this.#key = deriveLasting(masterKey, 'connect-visitors');
  }

  /** The mark of a visitor at one tenant; at another tenant the same visitor has another one. */
  markAt(tenantId: string, { address, userAgent }: Visit): string {
    return this.#mark(`visitor|${tenantId}|${address}|${userAgent ?? ''}`);
  }

  /** The mark of a visitor's address at one tenant, whatever program it runs. */
  placeAt(tenantId: string, { address }: Visit): string {
    return this.#mark(`place|${tenantId}|${address}`);
  }

  /** The mark under which is remembered for minutes where a visitor was seen. */
  trailOf({ address, userAgent }: Visit): string {
    return this.#mark(`trail|${address}|${userAgent ?? ''}`);
  }

  /** The mark of something that several visitors share: a client's registration, or one authorization request. */
  threadOf(shared: string): string {
    return this.#mark(`thread|${shared}`);
  }

  #mark(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, 22);
  }
}

/**
 * What holds a client's steps together beyond its address. A registered client is one installation; a client that is
 * named by its document's URL is shared by everybody who uses it, and only its code challenge tells requests apart.
 */
export function sharedBy(client: string | undefined, challenge: string | undefined): string | undefined {
  if (client === undefined || client === '') return undefined;
  if (!client.startsWith('https:')) return `client|${client.slice(0, 256)}`;
  return challenge === undefined ? undefined : `challenge|${challenge.slice(0, 256)}`;
}

/** The code challenge (S256) that belongs to a verifier. */
export function challengeOfVerifier(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** What a program calls itself, without what it says about its computer. */
export function programOf(userAgent: string | undefined): string {
  const named = PROGRAM.exec(userAgent ?? '')?.[0] ?? 'unknown';
  return named.startsWith('Mozilla/') ? 'browser' : named;
}

/** A client id as it may be shown: an id of ours, or a document's address without its query; undefined for other text. */
export function shownClient(client: string | undefined): string | undefined {
  if (client === undefined) return undefined;
  if (REGISTERED.test(client)) return client;
  if (!client.startsWith('https://') || !URL.canParse(client)) return undefined;
  const { origin, pathname } = new URL(client);
  return `${origin}${pathname}`.slice(0, URL_LENGTH_MAX);
}
