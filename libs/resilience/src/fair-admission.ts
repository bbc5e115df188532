/** Why a call is not admitted: its tenant has had its share, or there is more than can be answered. */
export type Shed = 'share' | 'overload';

/** What is known of a call before it is read. */
export type CallWeight = 'begins' | 'goes-on';

/** When a process counts as overloaded. */
export interface AdmissionBounds {
  /** What waits longer than this for its turn, all the time, waits too long. */
  readonly delayMs: number;
  /** So many calls in a tenth of a second are admitted however slow the process is. */
  readonly callsMin: number;
}

const SAMPLE_MS = 20;
const WINDOW_MS = 100;
/** CoDel's interval: only a delay that does not go away for so long is a queue that stands. */
const STANDING_MS = 200;
const CALM_MS = 500;
const SHRINK = 0.8;
const GROW = 1.25;
const TENANTS_MAX = 10_000;

/**
 * Admits calls while their process keeps up, and by fair shares while it does not. How long a turn of the event loop is
 * late is how long everything waits in this process; when that stands above its bound for 200 ms, what is admitted in
 * each tenth of a second shrinks by a fifth until it is below, and grows by a quarter from then on. What is admitted is shared max-min
 * fairly: tenants that want less than an equal share get all they want, the others an equal part of the rest.
 */
export class FairAdmission {
  readonly #timer: NodeJS.Timeout;
  #sampledMs = performance.now();
  #windowMs = performance.now();
  #delayMs = 0;
  #aboveSinceMs: number | undefined;
  #belowSinceMs: number | undefined;
  #loaded = false;
  #asked = 0;
  #admitted = 0;
  #budget = Infinity;
  #share = Infinity;
  #wanted = new Map<string, number>();

  constructor(private readonly bounds: AdmissionBounds) {
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS).unref();
  }

  /** How late the last turn of the event loop was. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** Why a tenant's call is refused now; undefined where it is admitted. One comparison while the process keeps up. */
  refuses(tenant: string, weight: CallWeight): Shed | undefined {
    this.#asked += 1;
    return this.#loaded ? this.#judge(tenant, weight) : undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Takes in how late a turn was. Called by a timer of its own; a test calls it with times of its choice. */
  observe(delayMs: number, nowMs: number): void {
    this.#delayMs = delayMs;
    if (delayMs > this.bounds.delayMs) {
      this.#aboveSinceMs ??= nowMs;
      this.#belowSinceMs = undefined;
    } else {
      this.#belowSinceMs ??= nowMs;
      this.#aboveSinceMs = undefined;
    }
    if (nowMs - this.#windowMs >= WINDOW_MS) this.#turnWindow(nowMs);
  }

  #sample(): void {
    const nowMs = performance.now();
    const delayMs = Math.max(0, nowMs - this.#sampledMs - SAMPLE_MS);
    this.#sampledMs = nowMs;
    this.observe(delayMs, nowMs);
  }

  #judge(tenant: string, weight: CallWeight): Shed | undefined {
    const wanted = this.#wanted.get(tenant) ?? 0;
    if (wanted === 0 && this.#wanted.size >= TENANTS_MAX) return 'overload';
    this.#wanted.set(tenant, wanted + 1);
    if (wanted >= this.#share) return 'share';
    // Shares hold the sum at the budget; this holds it where tenants are more than they were. What has begun already is
    // finished before anything else begins.
    if (this.#admitted >= (weight === 'begins' ? this.#budget : 2 * this.#budget)) return 'overload';
    this.#admitted += 1;
    return undefined;
  }

  #turnWindow(nowMs: number): void {
    const stands = this.#aboveSinceMs !== undefined && nowMs - this.#aboveSinceMs >= STANDING_MS;
    if (this.#loaded) this.#adapt(nowMs);
    else if (stands) this.#begin();
    this.#windowMs = nowMs;
    this.#asked = 0;
    this.#admitted = 0;
    if (this.#wanted.size > 0) this.#wanted = new Map();
  }

  #begin(): void {
    this.#loaded = true;
    this.#budget = Math.max(this.bounds.callsMin, this.#asked * SHRINK);
    // Who wants how much is known in a tenth of a second; until then nobody has more than half.
    this.#share = this.#budget / 2;
  }

  #adapt(nowMs: number): void {
    const calm = this.#belowSinceMs !== undefined && nowMs - this.#belowSinceMs >= CALM_MS;
    if (calm && this.#budget >= this.#asked) {
      this.#loaded = false;
      this.#budget = Infinity;
      this.#share = Infinity;
      return;
    }
    this.#budget =
      this.#aboveSinceMs === undefined
        ? this.#budget * GROW
        : Math.max(this.bounds.callsMin, Math.min(this.#budget, this.#admitted) * SHRINK);
    this.#share = Math.max(1, fairShare([...this.#wanted.values()], this.#budget));
  }
}

/** What each may have at most, so that together they have no more than `budget` (max-min fairness). */
export function fairShare(wanted: readonly number[], budget: number): number {
  let left = budget;
  for (const [at, want] of wanted.toSorted((one, other) => one - other).entries()) {
    const equal = left / (wanted.length - at);
    if (want > equal) return equal;
    left -= want;
  }
  return Infinity;
}
