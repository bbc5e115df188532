import { canonicalJson, sha256Digest, type Bundle } from '#libs/protocol';
import { CallDesk, type DeskHearing } from '../bridge/call-desk.js';
import type { PeerCaller } from '../peer/caller-link.js';
import { passedOn } from '../peer/open-client.js';
import type { Peer } from '../peer/peer.js';
import type { HostedServer } from './hosted-server.js';
import type { SeatOwner } from './seats.js';

/** A request's server and caller, and the era that its process speaks. */
export interface Placed {
  readonly hosted: HostedServer;
  readonly caller: PeerCaller;
  readonly era: Peer['era'];
  /** Names server and caller. */
  readonly place: string;
}

const LANES_MAX = 64;

/** Which era a caller's process speaks: its caller's, where the server speaks that. */
export function eraFor({ era }: Bundle, { client }: PeerCaller): Peer['era'] {
  if (era !== 'both') return era;
  return client === undefined ? 'legacy' : 'modern';
}

/**
 * Whose seat a request takes. A server of the 2025 era is told once what its client can do, so clients of the 2026 era
 * that can do different things have processes of their own; `taken` says which seats this request must not share.
 */
export function seatFor(
  { caller, era, place }: Placed,
  taken: (key: string) => boolean,
  hearing: DeskHearing,
): SeatOwner {
  const owner = { key: place, place, caller: caller.name };
  if (caller.client === undefined) return { ...owner, desk: undefined };
  if (era === 'modern') return { ...owner, desk: new CallDesk({}, hearing) };
  const able = passedOn(caller.client.capabilities);
  const kind = Object.keys(able).length === 0 ? place : `${place} ${sha256Digest(canonicalJson(able))}`;
  let lane = 0;
  while (lane < LANES_MAX && taken(`${kind} ${lane}`)) lane += 1;
  return { ...owner, key: `${kind} ${lane}`, desk: new CallDesk(able, hearing) };
}
