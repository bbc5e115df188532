import { LRUCache } from 'lru-cache';
import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import type { RedisStore } from '#libs/redis';
import type { Logger } from '#libs/telemetry';
import type { RuleId } from './rules.js';
import type { Destination, Step, Visit } from './steps.js';
import { storeSteps, windowOf, type StoredStep } from './step-store.js';
import { Trails } from './trails.js';
import { programOf, sharedBy, shownClient, Visitors } from './visitors.js';

const FLUSH_MS = 500;
const PENDING_MAX = 2_000;
const TENANTS_AT_ONCE_MAX = 100;
/** Different steps of one address at one tenant within ten minutes. */
const PER_ADDRESS_MAX = 120;
/** For a step that names no tenant it is not yet known whose bound applies. */
const PER_ADDRESS_UNPLACED_MAX = 300;
const ADDRESSES_MAX = 20_000;
const WINDOW_MS = 10 * 60 * 1_000;
/** How often it is looked up where a step belongs that names no URL; another process may still be writing that. */
const TRIES_MAX = 4;

/** A step that somebody did. */
export interface StepNote {
  readonly visit: Visit;
  readonly step: Step;
  readonly rule: 'ok' | RuleId;
  /** Where to; a function is asked later, off the request's path. Without one the visitor's trail tells. */
  readonly destination?: Destination | (() => Promise<Destination | undefined>) | undefined;
  readonly client?: string | undefined;
  readonly challenge?: string | undefined;
  /** Whether somebody has signed in, or a credential was valid. */
  readonly identity?: 'proven';
}

interface Pending {
  readonly note: StepNote;
  readonly firstMs: number;
  lastMs: number;
  times: number;
  tries: number;
}

/** What a recorder rests on. */
export interface RecorderParts {
  readonly database: Database;
  readonly redis: RedisStore;
  readonly masterKey: Secret;
  readonly logger: Logger;
}

/**
 * Notes the steps of attempts to connect, and writes them in batches off every request's path. Everything is bounded:
 * what is pending, what one address may add at a tenant, what a tenant keeps. What cannot be written is dropped.
 */
export class ConnectRecorder {
  readonly #visitors: Visitors;
  readonly #trails: Trails;
  readonly #pending = new Map<string, Pending>();
  readonly #perAddress = new LRUCache<string, number>({ max: ADDRESSES_MAX, ttl: WINDOW_MS, noUpdateTTL: true });
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(private readonly parts: RecorderParts) {
    this.#visitors = new Visitors(parts.masterKey);
    this.#trails = new Trails(parts.redis);
  }

  /** Notes one step; never throws and never waits. */
  note(note: StepNote): void {
    const nowMs = Date.now();
    const key = keyOf(note, nowMs);
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      pending.times += 1;
      pending.lastMs = nowMs;
      return;
    }
    if (this.#pending.size >= PENDING_MAX || !this.#admits(note)) return;
    this.#pending.set(key, { note, firstMs: nowMs, lastMs: nowMs, times: 1, tries: 0 });
    if (typeof note.destination === 'object') this.#leave(note, note.destination);
    this.#timer ??= setTimeout(() => this.#flushSoon(), FLUSH_MS).unref();
  }

  /** Writes what is pending, with everything that was noted before the call. */
  async flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    await this.#flushing;
  }

  /** Writes what is pending for the last time. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.flush();
  }

  #flushSoon(): void {
    this.#timer = undefined;
    void this.flush().then(() => {
      if (this.#pending.size > 0) this.#timer ??= setTimeout(() => this.#flushSoon(), FLUSH_MS).unref();
    });
  }

  #admits({ visit, destination }: StepNote): boolean {
    const place = typeof destination === 'object' ? destination.tenantId : '';
    const key = `${place}|${visit.address}`;
    const noted = this.#perAddress.get(key) ?? 0;
    if (noted >= (place === '' ? PER_ADDRESS_UNPLACED_MAX : PER_ADDRESS_MAX)) return false;
    this.#perAddress.set(key, noted + 1);
    return true;
  }

  #leave(note: StepNote, destination: Destination): void {
    for (const mark of this.#marksOf(note)) void this.#trails.mark(mark, destination);
  }

  /** The marks a step can be followed by; a visitor's own first. */
  #marksOf({ visit, client, challenge }: StepNote): string[] {
    const shared = sharedBy(client, challenge);
    return [this.#visitors.trailOf(visit), ...(shared === undefined ? [] : [this.#visitors.threadOf(shared)])];
  }

  async #write(): Promise<void> {
    const due = [...this.#pending];
    const byTenant = new Map<string, StoredStep[]>();
    for (const [key, pending] of due) {
      const destination = await this.#destinationOf(pending).catch(() => undefined);
      if (destination === undefined && typeof pending.note.destination !== 'function') {
        pending.tries += 1;
        if (pending.tries < TRIES_MAX) continue;
      }
      this.#pending.delete(key);
      if (destination === undefined) continue;
      const steps = byTenant.get(destination.tenantId) ?? [];
      if (byTenant.size >= TENANTS_AT_ONCE_MAX && steps.length === 0) continue;
      byTenant.set(destination.tenantId, [...steps, this.#stored(pending, destination)]);
    }
    for (const [tenantId, steps] of byTenant) await this.#store(tenantId, steps);
  }

  async #destinationOf({ note }: Pending): Promise<Destination | undefined> {
    const { destination } = note;
    if (typeof destination === 'object') return destination;
    const found = (await destination?.()) ?? (await this.#trails.find(this.#marksOf(note)));
    if (found !== undefined) await Promise.all(this.#marksOf(note).map((mark) => this.#trails.mark(mark, found)));
    return found;
  }

  #stored({ note, firstMs, lastMs, times }: Pending, { tenantId, serverSlug, resource }: Destination): StoredStep {
    const shared = sharedBy(note.client, note.challenge);
    return {
      serverSlug: serverSlug ?? '',
      resource,
      visitor: this.#visitors.markAt(tenantId, note.visit),
      place: this.#visitors.placeAt(tenantId, note.visit),
      thread: shared === undefined ? '' : this.#visitors.threadOf(shared),
      step: note.step,
      rule: note.rule,
      proven: note.identity === 'proven',
      program: programOf(note.visit.userAgent),
      // What only the trail ties to this tenant might be another tenant's: its name is not shown.
      client: note.destination === undefined ? undefined : shownClient(note.client),
      firstMs,
      lastMs,
      times,
    };
  }

  async #store(tenantId: string, steps: readonly StoredStep[]): Promise<void> {
    try {
      await storeSteps(this.parts.database, tenantId, steps);
    } catch (error) {
      this.parts.logger.warn({ err: error, tenant_id: tenantId }, 'steps of connecting agents could not be recorded');
    }
  }
}

function keyOf(note: StepNote, nowMs: number): string {
  const { visit, destination } = note;
  const place = typeof destination === 'object' ? `${destination.tenantId} ${destination.resource}` : '';
  const shared = sharedBy(note.client, note.challenge) ?? '';
  return [place, visit.address, visit.userAgent ?? '', shared, note.step, note.rule, windowOf(nowMs)].join('\0');
}
