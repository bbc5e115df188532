/**
 * The runtime that serves a key, by rendezvous hashing: every caller picks the same one, and when a runtime leaves
 * only its own keys move.
 */
export function pickRuntime<Runtime extends { readonly name: string }>(
  runtimes: readonly Runtime[],
  key: string,
): Runtime | undefined {
  if (runtimes.length <= 1) return runtimes[0];
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
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
