import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { AwsSigner, type SignerOptions } from '#libs/aws-credentials';
import type { ObjectStoreAddress } from '#libs/config';
import { AnswerRefused, fetchPlain, type PlainAnswer } from '#libs/http';
import { ObjectStoreError } from './object-store-error.js';

/** An object store: bytes under keys that are written once. */
export interface ObjectStore {
  /** Stores bytes under a key that nothing has yet; the same bytes may be stored again. @throws ObjectStoreError */
  put(key: string, content: Buffer): Promise<void>;
  /** The bytes of a key, at most so many; undefined where there are none. @throws ObjectStoreError */
  get(key: string, bytesMax: number): Promise<Buffer | undefined>;
  /** Whether a key is there, without its bytes. @throws ObjectStoreError */
  has(key: string): Promise<boolean>;
  /** Deletes a key; one that is not there is none the less gone. @throws ObjectStoreError */
  delete(key: string): Promise<void>;
}

/** How an object store is reached. */
export interface S3Options {
  readonly address: ObjectStoreAddress;
  /** Who asks. */
  readonly signing: Pick<SignerOptions, 'own' | 'environment'>;
  /** How long one attempt may take. */
  readonly attemptMs?: number;
}

interface Wanted {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Statuses that are answers; every other one is an error. */
  readonly statuses: readonly number[];
  readonly bytesMax?: number;
}

interface Got {
  readonly status: number;
  readonly content: Buffer;
}

const ATTEMPTS = 4;
const ATTEMPT_MS = 20_000;
const FIRST_WAIT_MS = 50;
const ERROR_BYTES_MAX = 16 * 1024;
const EMPTY_SHA256 = createHash('sha256').digest('hex');

/**
 * An S3-compatible object store. Every request is signed together with its body's SHA-256 (Signature Version 4), has a
 * deadline, and is tried again after a growing random wait where another attempt may end better.
 */
export class S3Objects implements ObjectStore {
  readonly #signer: AwsSigner;
  readonly #base: string;
  readonly #attemptMs: number;

  /** @throws ConfigError where the credentials that are set cannot be used */
  constructor({ address, signing, attemptMs = ATTEMPT_MS }: S3Options) {
    this.#signer = new AwsSigner({ service: 's3', region: address.region, ...signing });
    this.#base = `${address.base}${address.prefix}`;
    this.#attemptMs = attemptMs;
  }

  async put(key: string, content: Buffer): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream', 'if-none-match': '*' };
    const { status } = await this.#ask({ method: 'PUT', key, headers, body: content, statuses: [200, 412] });
    if (status === 200) return;
    // Most often the attempt before this one, whose answer was lost.
    const there = await this.get(key, content.length);
    if (there?.equals(content) !== true)
      throw new ObjectStoreError('refused', 'another object has this key', { key, status });
  }

  async get(key: string, bytesMax: number): Promise<Buffer | undefined> {
    const { status, content } = await this.#ask({ method: 'GET', key, statuses: [200, 404], bytesMax });
    if (status === 200) return content;
    requireBucket(status, content, key);
    return undefined;
  }

  async has(key: string): Promise<boolean> {
    // An answer to HEAD has no document, so that a bucket that is not there looks like a key: whoever opened the store has seen it.
    const { status } = await this.#ask({ method: 'HEAD', key, statuses: [200, 404] });
    return status === 200;
  }

  async delete(key: string): Promise<void> {
    const { status, content } = await this.#ask({ method: 'DELETE', key, statuses: [200, 204, 404] });
    if (status === 404) requireBucket(status, content, key);
  }

  async #ask(wanted: Wanted): Promise<Got> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(wanted);
      } catch (error) {
        const failure = ObjectStoreError.from(error, wanted.key);
        if (failure.kind !== 'unavailable' || attempt === ATTEMPTS) throw failure;
      }
      await wait(Math.random() * FIRST_WAIT_MS * 3 ** attempt);
    }
  }

  async #attempt({ method, key, headers, body, statuses, bytesMax = ERROR_BYTES_MAX }: Wanted): Promise<Got> {
    const sha256 = body === undefined ? EMPTY_SHA256 : createHash('sha256').update(body).digest('hex');
    const request = await this.#signer.sign(`${this.#base}${key}`, {
      method,
      headers: { ...headers, 'x-amz-content-sha256': sha256 },
      signal: AbortSignal.timeout(this.#attemptMs),
      redirect: 'manual',
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    const { status, body: content } = await answerTo(request, (answered) =>
      answered === 200 && method === 'GET' ? bytesMax : ERROR_BYTES_MAX,
    );
    if (statuses.includes(status)) return { status, content };
    throw ObjectStoreError.answered(status, errorCode(content), key);
  }
}

async function answerTo(request: Request, bytesMax: (status: number) => number): Promise<PlainAnswer> {
  try {
    return await fetchPlain((plain) => {
      // After it was signed: what stands between may ask for something else.
      request.headers.set('accept-encoding', plain['accept-encoding']);
      return fetch(request);
    }, bytesMax);
  } catch (error) {
    if (error instanceof AnswerRefused) throw new ObjectStoreError('refused', error.message, {});
    throw error;
  }
}

/** Tells a key that is not there from everything else that may be missing. @throws ObjectStoreError */
function requireBucket(status: number, content: Buffer, key: string): void {
  const code = errorCode(content);
  if (code !== undefined && code !== 'NoSuchKey') throw ObjectStoreError.answered(status, code, key);
}

/** The code in an S3 error document. */
function errorCode(content: Buffer): string | undefined {
  return /<Code>(\w{1,100})<\/Code>/.exec(content.toString('latin1'))?.[1];
}
