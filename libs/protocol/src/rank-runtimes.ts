// Taken once: a test looks a global up a million times slowly, in the context of its own that it runs in.
const { imul } = Math;
/** Calls that one runtime may have open, whatever the others have: fewer are no reason to start a worker elsewhere. */
const OPEN_MIN = 128;
/** How much more than its share of all open calls one runtime may have. */
const SHARE_MAX = 1.25;

/** A runtime as it is chosen: by its name, and by how much it has to do. */
export interface RankedRuntime {
  readonly name: string;
  /** Calls and streams that this caller has open there. */
  readonly open: number;
}

/**
 * The runtime that serves a key, by rendezvous hashing: every caller picks the same one, and when a runtime leaves
 * only its own keys move. One that has more than its share of what is open is passed over for the next in the key's own
 * order (bounded load, Mirrokni et al. 2018), so that a busy key spreads and the others stay where they are.
 */
export function pickRuntime<Runtime extends RankedRuntime>(
  runtimes: readonly Runtime[],
  key: string,
): Runtime | undefined {
  if (runtimes.length <= 1) return runtimes[0];
  const best = bestOf(runtimes, key);
  if (best === undefined || best.open < OPEN_MIN) return best;
  const all = runtimes.reduce((sum, { open }) => sum + open, 0);
  const most = Math.max(OPEN_MIN, Math.ceil(((all + 1) / runtimes.length) * SHARE_MAX));
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
