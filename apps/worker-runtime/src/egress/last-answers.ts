import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { HopAnswer } from './upstream-request.js';

/** Where an answer is kept: whose it is, the tenant's key for answers, and all that made the request what it was. */
export interface AnswerPlace {
  readonly tenantId: string;
  readonly key: Buffer;
  readonly name: string;
}

/** An answer from before. */
export interface KeptAnswer {
  readonly answer: HopAnswer;
  readonly ageMs: number;
}

interface Sealed {
  readonly tenantId: string;
  readonly atMs: number;
  readonly bytes: Buffer;
}

/** How much is kept, in bytes: of one answer, of one tenant, of all. */
export interface AnswerBounds {
  readonly answer: number;
  readonly tenant: number;
  readonly total: number;
}

const BOUNDS: AnswerBounds = { answer: 1024 * 1024, tenant: 8 * 1024 * 1024, total: 64 * 1024 * 1024 };
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What an entry takes beside its bytes: its name, its place in the list. */
const ENTRY_BYTES = 512;

/** Names the place of a request's answer; without the tenant's key, names tell nothing and meet no other tenant's. */
export function answerPlace(tenantId: string, key: string, request: readonly unknown[]): AnswerPlace {
  const bytes = Buffer.from(key, 'base64');
  const name = createHmac('sha256', bytes)
    .update(JSON.stringify([tenantId, ...request]))
    .digest('base64url');
  return { tenantId, key: bytes, name };
}

/**
 * The last good answers of read-only tools, in memory only, each sealed (AES-256-GCM) under a key of its tenant that is
 * not kept here. Tenant, place and time are authenticated with it. A tenant's share is bounded: it pushes out its own.
 */
export class LastAnswers {
  readonly #bounds: AnswerBounds;
  readonly #heldBytes = new Map<string, number>();
  readonly #sealed: LRUCache<string, Sealed>;

  constructor(bounds: AnswerBounds = BOUNDS) {
    this.#bounds = bounds;
    this.#sealed = new LRUCache<string, Sealed>({
      maxSize: bounds.total,
      sizeCalculation: sizeOf,
      dispose: (sealed) => this.#count(sealed.tenantId, -sizeOf(sealed)),
    });
  }

  /** Keeps an answer in place of the one before; one that is too large is not kept. */
  keep({ tenantId, key, name }: AnswerPlace, { status, headers, body }: HopAnswer, nowMs = Date.now()): void {
    const head = Buffer.from(JSON.stringify({ status, headers }));
    if (head.length + body.length > this.#bounds.answer) return;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.length);
    const bytes = seal(key, Buffer.concat([length, head, body]), contextOf(tenantId, name, nowMs));
    const sealed = { tenantId, atMs: nowMs, bytes };
    this.#sealed.delete(name);
    this.#makeRoom(tenantId, sizeOf(sealed));
    this.#count(tenantId, sizeOf(sealed));
    this.#sealed.set(name, sealed);
  }

  /** The answer of a place, when there is one that is young enough. */
  find({ tenantId, key, name }: AnswerPlace, ageMsMax: number, nowMs = Date.now()): KeptAnswer | undefined {
    const sealed = this.#sealed.get(name);
    if (sealed === undefined || sealed.tenantId !== tenantId || nowMs - sealed.atMs > ageMsMax) return undefined;
    const plain = open(key, sealed.bytes, contextOf(tenantId, name, sealed.atMs));
    const bodyAt = 4 + plain.readUInt32BE(0);
    const head = JSON.parse(plain.subarray(4, bodyAt).toString()) as Omit<HopAnswer, 'body'>; // sealed by `keep`
    return { answer: { ...head, body: plain.subarray(bodyAt) }, ageMs: nowMs - sealed.atMs };
  }

  /** Forgets the answer of a place. */
  drop({ name }: Pick<AnswerPlace, 'name'>): void {
    this.#sealed.delete(name);
  }

  /** Forgets a tenant's answers. */
  forget(tenantId: string): void {
    for (const name of this.#namesOf(tenantId)) this.#sealed.delete(name);
  }

  #makeRoom(tenantId: string, bytes: number): void {
    const isFull = (): boolean => (this.#heldBytes.get(tenantId) ?? 0) + bytes > this.#bounds.tenant;
    if (!isFull()) return;
    for (const name of this.#namesOf(tenantId)) {
      this.#sealed.delete(name);
      if (!isFull()) return;
    }
  }

  /** A tenant's places, the one unused for longest first. */
  #namesOf(tenantId: string): string[] {
    return [...this.#sealed.rkeys()].filter((name) => this.#sealed.peek(name)?.tenantId === tenantId);
  }

  #count(tenantId: string, bytes: number): void {
    const held = (this.#heldBytes.get(tenantId) ?? 0) + bytes;
    if (held === 0) this.#heldBytes.delete(tenantId);
    else this.#heldBytes.set(tenantId, held);
  }
}

function sizeOf({ bytes }: Sealed): number {
  return bytes.length + ENTRY_BYTES;
}

function contextOf(tenantId: string, name: string, atMs: number): string {
  return `last-answer|${tenantId}|${name}|${atMs}`;
}

function seal(key: Buffer, plain: Buffer, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

function open(key: Buffer, sealed: Buffer, context: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}
