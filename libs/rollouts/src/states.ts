/**
 * Where a rollout stands.
 *
 *     checking ── probe passed ──► running ── last step was good, or promote ──► draining ── limit, or promote ──► promoted
 *        │  └── blue-green: switched at once ─────────────────────────────────────►│
 *        │                        │  ▲                                             │
 *        │                      pause, resume                                      │
 *        │                        ▼  │                                             │
 *        │                       paused (where a shadow waits when it is over)     │
 *        ├── probe failed ──► rejected                                             │
 *        ├── abort ─────────────► aborted ◄───────── abort, rollback ──────────────┤
 *        └── (running, paused, draining) ── bad verdict ──► rolled_back ◄──────────┘
 *
 * `promoted`, `rolled_back`, `aborted` and `rejected` are ends. The candidate is live from `draining` on; until then the
 * stable release is, and the gateways give the candidate its `percent` of the calls.
 */
export const ROLLOUT_STATES = [
  'checking',
  'running',
  'paused',
  'draining',
  'promoted',
  'rolled_back',
  'aborted',
  'rejected',
] as const;

/** Where a rollout stands. */
export type RolloutState = (typeof ROLLOUT_STATES)[number];

/** How a release reaches the callers: all at once, in growing parts, or beside the stable one without being heard. */
export const STRATEGIES = ['blue-green', 'canary', 'shadow'] as const;

/** How a release reaches the callers. */
export type Strategy = (typeof STRATEGIES)[number];

/** A part of the calls, and for how long at least. */
export interface Step {
  readonly percent: number;
  readonly seconds: number;
}

/** The steps of a rollout that names none. */
export const DEFAULT_STEPS: Readonly<Record<Strategy, readonly Step[]>> = {
  'blue-green': [],
  canary: [
    { percent: 10, seconds: 300 },
    { percent: 25, seconds: 300 },
    { percent: 50, seconds: 600 },
    { percent: 100, seconds: 600 },
  ],
  shadow: [{ percent: 100, seconds: 600 }],
};

/** How long sessions of the old release may go on after the switch, in seconds. */
export const DEFAULT_DRAIN_SECONDS = 300;

const OPEN: ReadonlySet<RolloutState> = new Set(['checking', 'running', 'paused', 'draining']);

/** Whether a rollout can still change. */
export function isOpen(state: RolloutState): boolean {
  return OPEN.has(state);
}
