import { isIP } from 'node:net';
import { Agent, fetch } from 'undici';
import { isPublicAddress } from '#libs/addresses';
import { publicLookup } from './public-lookup.js';
import { clientKeySetSchema } from '#libs/identity';
import { parseJson } from '#libs/http';
import { LRUCache } from 'lru-cache';
import { parseClientDocument } from './registration.js';

const DEADLINE_MS = 5_000;
const BYTES_MAX = 10 * 1024;
const MISSING_MAX = 1_000;
const MISSING_MS = 30_000;

/**
 * Fetches what clients publish, metadata documents (a `client_id` that is a URL) and key sets: https and public addresses only, no redirects,
 * five seconds and 10 KiB at most. What comes back holds only the metadata we know.
 */
export class ClientDocuments {
  readonly #agent = new Agent({
    connect: { lookup: publicLookup, timeout: DEADLINE_MS },
    headersTimeout: DEADLINE_MS,
    bodyTimeout: DEADLINE_MS,
    connections: 2,
    maxResponseSize: BYTES_MAX,
  });

  /** Key sets that could not be had a moment ago: asking again is not left to whoever asks for tokens. */
  readonly #missing = new LRUCache<string, true>({ max: MISSING_MAX, ttl: MISSING_MS });

  /** As the standard `fetch` for one document. @throws Error when it may not be fetched or is no such document */
  async fetch(url: string): Promise<Response> {
    const { body, headers } = await this.#read(url);
    return Response.json(parseClientDocument(url, body), { headers });
  }

  /**
   * As `fetch`, for the key set (`jwks_uri`) of a client; after a failure not again for 30 s.
   * @throws Error when it may not be fetched or is no set of public keys
   */
  async fetchKeySet(url: string): Promise<Response> {
    if (this.#missing.has(url)) throw new Error('the key set could not be had a moment ago');
    try {
      const { body, headers } = await this.#read(url);
      return Response.json(clientKeySetSchema.parse(parseJson(body, { depthMax: 8, keysMax: 1_000 })), { headers });
    } catch (error) {
      this.#missing.set(url, true);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }

  async #read(url: string): Promise<{ body: Buffer; headers: Record<string, string> }> {
    const { protocol, hostname } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    if (protocol !== 'https:') throw new Error('only https documents are fetched');
    if (isIP(host) !== 0 && !isPublicAddress(host)) throw new Error(`${host} is not a public address`);
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`the document answered with status ${response.status}`);
    return { body, headers: cachingOf(response.headers) };
  }
}

function cachingOf(headers: { get(name: string): string | null }): Record<string, string> {
  const caching = headers.get('cache-control');
  return caching === null ? {} : { 'cache-control': caching };
}
