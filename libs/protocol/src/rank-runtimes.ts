// Taken once: a test looks a global up a million times slowly, in the context of its own that it runs in.
const { imul } = Math;
/** Calls that one runtime may have open, whatever the others have: fewer are no reason to start a worker elsewhere. */
const OPEN_MIN = 128;
/** How much more than its share of all open calls one runtime may have, and how much where tenants stay that have little open there. */
const SHARE_MAX = 1.25;
const SHARE_MAX_OF_CALM = 2;
/** How much of everything that is open one of several may have in any case: of two, twice its share would be all. */
const PART_MAX = 0.8;
/** A tenant is calm that has less open at a runtime than such a part of what that may have. */
const CALM = 1 / 8;

/** A runtime as it is chosen: by its name, and by how much it has to do. */
export interface RankedRuntime {
  readonly name: string;
  /** Calls and streams that this caller has open there. */
  readonly open: number;
  /** How many of these are of one tenant. */
  openOf(tenantId: string): number;
}

/** What is to be served: `key` is one of its tenant's. */
export interface Served {
  readonly tenantId: string;
  readonly key: string;
}

/**
 * The runtime that serves a key, by rendezvous hashing: every caller picks the same one, and when a runtime leaves
 * only its own keys move. One that has more than its share of what is open is passed over for the next in the key's own
 * order (bounded load, Mirrokni et al. 2018), but for a tenant that has little open there: so a busy tenant spreads, and the
 * others stay where they are. Were they passed over as well, by some callers and not by others, each would be awake twice.
 */
export function pickRuntime<Runtime extends RankedRuntime>(
  runtimes: readonly Runtime[],
  { tenantId, key }: Served,
): Runtime | undefined {
  if (runtimes.length <= 1) return runtimes[0];
  const best = bestOf(runtimes, key);
  if (best === undefined || best.open < OPEN_MIN) return best;
  const all = runtimes.reduce((sum, { open }) => sum + open, 0);
  const share = (all + 1) / runtimes.length;
  const most = Math.max(OPEN_MIN, Math.ceil(share * SHARE_MAX));
  if (best.open < most) return best;
  const mostWithCalm = Math.max(most, Math.min(share * SHARE_MAX_OF_CALM, (all + 1) * PART_MAX));
  if (best.open < mostWithCalm && best.openOf(tenantId) < most * CALM) return best;
  return bestOf(
    runtimes.filter(({ open }) => open < most),
    key,
  );
}

function bestOf<Runtime extends RankedRuntime>(runtimes: readonly Runtime[], key: string): Runtime | undefined {
  let best: Runtime | undefined;
  let bestScore = -1;
  for (const runtime of runtimes) {
    const score = hash(`${runtime.name} ${key}`);
    if (score > bestScore) [best, bestScore] = [runtime, score];
  }
  return best;
}

/** A runtime's name in eight characters, the same at every caller. */
export function runtimeMark(name: string): string {
  return hash(name).toString(16).padStart(8, '0');
}

/** FNV-1a, 32 bits, with a final mix so that names that differ in one character do not score alike. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = imul(value ^ text.charCodeAt(index), 0x01000193);
  value = imul(value ^ (value >>> 16), 0x85ebca6b);
  value = imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
