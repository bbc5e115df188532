import type { RolloutRoute } from './tenants.repository.js';

/** Whether a caller (or a session) is among the candidate's; a growing share keeps those it had. */
export function isCandidateFor(rollout: RolloutRoute | null, stickTo: string): boolean {
  return rollout !== null && rollout.percent > 0 && shareOf(rollout.id, stickTo) < rollout.percent;
}

/** A number from 0 to 99.99 that is the same for the same pair and spread evenly (FNV-1a, finished as in MurmurHash3). */
function shareOf(rolloutId: string, stickTo: string): number {
  let hash = hashInto(hashInto(0x811c9dc5, rolloutId), stickTo);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000) * 100;
}

function hashInto(start: number, text: string): number {
  let hash = start;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
