import {
  createRemoteJWKSet,
  customFetch,
  type CryptoKey,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from 'jose';
import { fetchPlain } from '#libs/http';

/** An unknown `kid` asks for the key set at most this often, however many tokens name one. */
const COOLDOWN_MS = 30_000;
/** How old the key set may be when it is used; then it is fetched anew in the background. */
const FRESH_MS = 60_000;
/** How long the last key set serves while the issuer cannot be reached. */
const STALE_MS = 60 * 60 * 1_000;
/** How long the issuer is left alone after a fetch that failed. */
const AFTER_FAILURE_MS = 5_000;
const TIMEOUT_MS = 5_000;
const BYTES_MAX = 256 * 1024;

/**
 * An issuer's key set, kept here: verification waits for the issuer only at the very first token and at an unknown
 * `kid`. Whatever tokens say, the issuer is asked once a minute, once in 30 s for an unknown `kid`, and once in 5 s
 * while it fails.
 */
export class RemoteKeys {
  readonly #set;
  #lookedMs = 0;
  #failedMs = 0;
  #known = '';
  #generation = 0;

  constructor(jwksUrl: string) {
    this.#set = createRemoteJWKSet(new URL(jwksUrl), {
      cooldownDuration: COOLDOWN_MS,
      cacheMaxAge: STALE_MS,
      timeoutDuration: TIMEOUT_MS,
      [customFetch]: (url, options) => this.#fetch(url, options),
    });
  }

  /** Finds the key of a token by its `kid`. @throws JOSEError for an unknown key, TypeError when the issuer fails */
  readonly find = async (header: JWSHeaderParameters, token?: FlattenedJWSInput): Promise<CryptoKey> => {
    this.#lookAgain();
    return this.#set(header, token);
  };

  /** Grows whenever a key has left the set: what was verified before may not hold any more. */
  get generation(): number {
    this.#lookAgain();
    return this.#generation;
  }

  #lookAgain(): void {
    const nowMs = Date.now();
    if (nowMs - this.#lookedMs < FRESH_MS) return;
    const isFirst = this.#lookedMs === 0;
    this.#lookedMs = nowMs;
    if (!isFirst) void this.#set.reload().catch(() => undefined);
  }

  async #fetch(url: string, options: RequestInit): Promise<Response> {
    if (Date.now() - this.#failedMs < AFTER_FAILURE_MS) throw new TypeError('the issuer failed a moment ago');
    try {
      const { status, body } = await fetchPlain((plain) => {
        const headers = { ...Object.fromEntries(new Headers(options.headers)), ...plain };
        return fetch(url, { ...options, headers });
      }, BYTES_MAX);
      if (status !== 200) throw new TypeError(`the key set answered with status ${status}`);
      const text = body.toString('utf8');
      this.#noteKeys(text);
      return new Response(text, { status: 200 });
    } catch (error) {
      this.#failedMs = Date.now();
      throw error;
    }
  }

  #noteKeys(body: string): void {
    const kids = [...body.matchAll(/"kid"\s*:\s*"([^"]+)"/g)].map(([, kid]) => kid ?? '');
    if (this.#known.split(' ').some((kid) => kid !== '' && !kids.includes(kid))) this.#generation += 1;
    this.#known = kids.join(' ');
  }
}
