import { LRUCache } from 'lru-cache';
import type { ClientKeySet } from '#libs/identity';
import type { ClientDocuments } from '../registration/client-documents.js';

const REMEMBERED_MAX = 1_000;
const REMEMBERED_MS = 60_000;

interface Asked {
  /** Undefined where they could not be had. */
  readonly keySet: ClientKeySet | undefined;
}

/**
 * The keys that clients publish (`jwks_uri`), asked for at most once a minute whoever asks for tokens meanwhile: a key
 * that was taken away is good for a minute at most, and so is a failure.
 */
export class ClientKeySets {
  readonly #asked: LRUCache<string, Asked>;

  constructor(documents: Pick<ClientDocuments, 'fetchKeySet'>) {
    this.#asked = new LRUCache<string, Asked>({
      max: REMEMBERED_MAX,
      ttl: REMEMBERED_MS,
      // What is wrong there is the client's to find: it is not known by keys that cannot be had.
      fetchMethod: async (url) => ({ keySet: await documents.fetchKeySet(url).catch(() => undefined) }),
    });
  }

  /** The keys at a URL; none where they cannot be had. */
  async at(url: string): Promise<ClientKeySet> {
    return (await this.#asked.fetch(url))?.keySet ?? { keys: [] };
  }
}
