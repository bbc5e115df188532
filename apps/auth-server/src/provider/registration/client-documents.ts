import { isIP, type LookupFunction } from 'node:net';
import { Agent, fetch } from 'undici';
import { isPublicAddress, publicLookup } from '#libs/addresses';
import { clientKeySetSchema, type ClientKeySet } from '#libs/identity';
import { fetchPlain, parseJson } from '#libs/http';
import { parseClientDocument } from './registration.js';

const DEADLINE_MS = 5_000;
const BYTES_MAX = 10 * 1024;

/** How documents are reached, where it is not as usual. */
export interface Reach {
  /** Finds a name's addresses, and refuses those that are not public. */
  readonly lookup?: LookupFunction;
  readonly deadlineMs?: number;
  /** Who may sign certificates, as PEM. */
  readonly ca?: string;
}

/**
 * Fetches what clients publish, metadata documents (a `client_id` that is a URL) and key sets: https and public addresses only, no redirects,
 * nothing compressed, five seconds and 10 KiB at most. What comes back holds only the metadata we know.
 */
export class ClientDocuments {
  readonly #agent: Agent;
  readonly #deadlineMs: number;

  constructor({ lookup = publicLookup, deadlineMs = DEADLINE_MS, ca }: Reach = {}) {
    this.#deadlineMs = deadlineMs;
    this.#agent = new Agent({
      connect: { lookup, timeout: deadlineMs, ...(ca === undefined ? {} : { ca }) },
      headersTimeout: deadlineMs,
      bodyTimeout: deadlineMs,
      connections: 2,
      maxResponseSize: BYTES_MAX,
    });
  }

  /** As the standard `fetch` for one document. @throws Error when it may not be fetched or is no such document */
  async fetch(url: string): Promise<Response> {
    const { body, headers } = await this.#read(url);
    return Response.json(parseClientDocument(url, body), { headers });
  }

  /** The key set at a client's `jwks_uri`. @throws Error when it may not be fetched or is no set of public keys */
  async fetchKeySet(url: string): Promise<ClientKeySet> {
    const { body } = await this.#read(url);
    return clientKeySetSchema.parse(parseJson(body, { depthMax: 8, keysMax: 1_000 }));
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }

  async #read(url: string): Promise<{ body: Buffer; headers: Record<string, string> }> {
    const { protocol, hostname } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    if (protocol !== 'https:') throw new Error('only https documents are fetched');
    if (isIP(host) !== 0 && !isPublicAddress(host)) throw new Error(`${host} is not a public address`);
    const signal = AbortSignal.timeout(this.#deadlineMs);
    const { status, headers, body } = await fetchPlain(
      (plain) =>
        fetch(url, {
          headers: { accept: 'application/json', ...plain },
          redirect: 'manual',
          dispatcher: this.#agent,
          signal,
        }),
      BYTES_MAX,
    );
    if (status !== 200) throw new Error(`the document answered with status ${status}`);
    return { body, headers: cachingOf(headers) };
  }
}

function cachingOf(headers: { get(name: string): string | null }): Record<string, string> {
  const caching = headers.get('cache-control');
  return caching === null ? {} : { 'cache-control': caching };
}
