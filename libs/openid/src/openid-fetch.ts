import { isIP } from 'node:net';
import { Agent, fetch as undiciFetch } from 'undici';
import { isOpenableAddress, isPublicAddress, openableLookup, publicLookup } from '#libs/addresses';
import type { Transaction } from '#libs/database';
import { fetchPlain } from '#libs/http';
import { OpenIdFailure } from './openid-failure.js';

/** How long one request to a provider may take. */
export const PROVIDER_DEADLINE_MS = 5_000;
const BYTES_MAX = 256 * 1024;

/** A private host and port that an operator opened for a tenant. */
export interface PrivateHost {
  readonly host: string;
  readonly port: number;
}

type Fetched = (url: string | URL, init?: object) => Promise<Response>;

/**
 * Fetches from tenants' providers, which tenants name: https on public addresses, or what an operator opened for this
 * tenant; no redirects, nothing compressed, five seconds and 256 KiB at most.
 */
export class OpenIdFetch {
  readonly #public = agentWith(publicLookup);
  readonly #private = agentWith(openableLookup);

  /** As the standard `fetch`, for one tenant. */
  for(privateHosts: readonly PrivateHost[]): Fetched {
    return async (url, init = {}) => {
      const { href, opened } = this.#judge(new URL(url), privateHosts);
      try {
        const dispatcher = opened ? this.#private : this.#public;
        const signal = AbortSignal.timeout(PROVIDER_DEADLINE_MS);
        const { status, headers, body } = await fetchPlain(
          (plain) =>
            undiciFetch(href, { ...init, headers: withHeaders(init, plain), redirect: 'manual', dispatcher, signal }),
          BYTES_MAX,
        );
        return new Response(isBodiless(status) ? null : new Uint8Array(body), { status, headers: [...headers] });
      } catch (error) {
        throw new OpenIdFailure('unreachable', `${new URL(href).host} does not answer: ${reasonOf(error)}.`, {
          cause: error,
        });
      }
    };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#public.destroy(), this.#private.destroy()]);
  }

  #judge(url: URL, privateHosts: readonly PrivateHost[]): { readonly href: string; readonly opened: boolean } {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    const opened = privateHosts.some((allowed) => allowed.host === host && allowed.port === port);
    if (url.protocol !== 'https:' && !(opened && url.protocol === 'http:')) {
      throw new OpenIdFailure('unusable', `${url.origin} is not https.`);
    }
    if (url.username !== '' || url.password !== '') throw new OpenIdFailure('unusable', `${host} holds credentials.`);
    const accepts = opened ? isOpenableAddress : isPublicAddress;
    if (isIP(host) !== 0 && !accepts(host)) {
      throw new OpenIdFailure('unusable', `${host} is not a public address.`);
    }
    return { href: url.href, opened };
  }
}

/** The private hosts that an operator opened for a tenant. */
export async function privateHostsOf(tx: Transaction, tenantId: string): Promise<PrivateHost[]> {
  return tx.query(`select host, port from egress_allowances where tenant_id = $1 and host is not null`, [tenantId]);
}

function agentWith(lookup: typeof publicLookup): Agent {
  return new Agent({
    connect: { lookup, timeout: PROVIDER_DEADLINE_MS },
    headersTimeout: PROVIDER_DEADLINE_MS,
    bodyTimeout: PROVIDER_DEADLINE_MS,
    connections: 4,
    maxResponseSize: BYTES_MAX,
  });
}

function withHeaders({ headers }: RequestInit, more: object): Record<string, string> {
  return { ...Object.fromEntries(new Headers(headers)), ...more };
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/** What went wrong on the way: the innermost cause says it best, and none of them holds what was sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason was given';
  if (error.name === 'TimeoutError') return `no answer within ${PROVIDER_DEADLINE_MS / 1_000} seconds`;
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message || error.name;
}
