import { LRUCache } from 'lru-cache';
import type { Quota } from './sliding-windows.js';

const KEYS_MAX = 10_000;
/** As in Redis: a window slides by a sixtieth of its length. */
const PARTS = 60;

/** What was taken in each part of a window, the parts in a circle. */
interface Window {
  readonly counts: Float64Array;
  readonly partMs: number;
  /** Number of the latest part. */
  latest: number;
  used: number;
}

/** Quotas over sliding windows that this process alone counts, in bounded memory. */
export class LocalWindows {
  readonly #windows = new LRUCache<string, Window>({ max: KEYS_MAX });

  /** Takes one of a quota; returns 0, or the milliseconds until it has one again. */
  take(key: string, quota: Quota): number {
    const window = this.#at(key, quota);
    if (window.used >= quota.quota) return untilFree(window, quota.quota);
    add(window, 1);
    return 0;
  }

  /** Notes that others counted so many. */
  note(key: string, quota: Quota, count: number): void {
    add(this.#at(key, quota), count);
  }

  #at(key: string, { windowSeconds }: Quota): Window {
    const partMs = (windowSeconds * 1_000) / PARTS;
    const now = Math.floor(Date.now() / partMs);
    const known = this.#windows.get(key);
    if (known?.partMs === partMs && now >= known.latest) return slide(known, now);
    const window = { counts: new Float64Array(PARTS + 1), partMs, latest: now, used: 0 };
    this.#windows.set(key, window);
    return window;
  }
}

function slide(window: Window, now: number): Window {
  const { counts } = window;
  if (now - window.latest >= counts.length) {
    counts.fill(0);
    window.used = 0;
  } else {
    for (let part = window.latest + 1; part <= now; part += 1) {
      window.used -= counts[part % counts.length] ?? 0;
      counts[part % counts.length] = 0;
    }
  }
  window.latest = now;
  return window;
}

function add(window: Window, count: number): void {
  const at = window.latest % window.counts.length;
  window.counts[at] = (window.counts[at] ?? 0) + count;
  window.used += count;
}

function untilFree({ counts, latest, partMs, used }: Window, quota: number): number {
  let left = used;
  let part = latest - counts.length;
  while (left >= quota && part < latest) {
    part += 1;
    left -= counts[part % counts.length] ?? 0;
  }
  return Math.max(1, (part + counts.length) * partMs - Date.now());
}
