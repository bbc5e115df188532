import { isIP } from 'node:net';
import { Agent, fetch } from 'undici';
import { isPublicAddress, publicLookup } from '#libs/addresses';
import { parseClientDocument } from './registration.js';

const DEADLINE_MS = 5_000;
const BYTES_MAX = 10 * 1024;

/**
 * Fetches clients' metadata documents (a `client_id` that is a URL): https and public addresses only, no redirects,
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

  /** As the standard `fetch` for one document. @throws Error when it may not be fetched or is no such document */
  async fetch(url: string): Promise<Response> {
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
    return Response.json(parseClientDocument(url, body), { headers: cachingOf(response.headers) });
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }
}

function cachingOf(headers: { get(name: string): string | null }): Record<string, string> {
  const caching = headers.get('cache-control');
  return caching === null ? {} : { 'cache-control': caching };
}
