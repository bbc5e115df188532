import { canonicalJson, sha256Digest } from '#libs/protocol';
import { CallDesk, type DeskHearing } from '../bridge/call-desk.js';
import type { CallerLink } from '../peer/caller-link.js';
import { passedOn } from '../peer/open-client.js';
import type { MountedUpstream } from './mounted-upstream.js';
import type { RemoteCaller } from './remote-caller.js';
import { viewKey } from './upstream-health.js';

/** Whose session with which upstream a request takes, and how the upstream reaches its client. */
export interface Place {
  readonly mounted: MountedUpstream;
  readonly caller: RemoteCaller;
  readonly key: string;
  readonly link: CallerLink;
  /** For clients of the 2026 era, which cannot be asked by a link of their own. */
  readonly desk: CallDesk | undefined;
  /** Whether there is somebody to hear what comes by the session's own stream. */
  readonly listens: boolean;
}

/** What is known of sessions that are open. */
export interface Surroundings {
  /** The desk of a session that is open. */
  readonly findDesk: (key: string) => CallDesk | undefined;
  /** Whether a request must have a session that no other call is asked through. */
  readonly alone: boolean;
  readonly hearing: DeskHearing;
}

const LANES_MAX = 64;

/** The name of a caller's session: with which upstream, of which release, and whose it is. */
export function keyOf(mounted: MountedUpstream, { name }: Pick<RemoteCaller, 'name'>): string {
  return `${viewKey(mounted)} ${name}`;
}

/**
 * Whose session a request takes. An upstream of the 2025 era is told once what its client can do, so clients of the 2026
 * era that can be asked different things have sessions of their own.
 */
export function placeFor(
  mounted: MountedUpstream,
  caller: RemoteCaller,
  { findDesk, alone, hearing }: Surroundings,
): Place {
  const { client, link } = caller;
  const key = keyOf(mounted, caller);
  if (link !== undefined) return { mounted, caller, key, link, desk: undefined, listens: true };
  const able = mounted.upstream.era === 'legacy' ? passedOn(client?.capabilities ?? {}) : {};
  const { extensions: _, ...asked } = able;
  const kind = Object.keys(able).length > 0 ? `${key} ${sha256Digest(canonicalJson(able))}` : key;
  const laneOf = (lane: number): string => (lane === 0 ? kind : `${kind} ${lane}`);
  const isTaken = (lane: number): boolean => alone && findDesk(laneOf(lane))?.busy === true;
  let lane = 0;
  while (lane < LANES_MAX && isTaken(lane)) lane += 1;
  const desk = findDesk(laneOf(lane)) ?? new CallDesk(able, hearing);
  return { mounted, caller, key: laneOf(lane), link: desk, desk, listens: Object.keys(asked).length > 0 };
}
