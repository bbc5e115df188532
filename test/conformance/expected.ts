/** A scenario that does not pass, or passes without a check, and why; one that passes after all fails the run. */
export interface Expected {
  readonly run: RegExp;
  readonly scenario: RegExp;
  readonly reason: string;
}

/** What is known to fail or to prove nothing, with the reason. */
export const EXPECTED: readonly Expected[] = [
  {
    run: /^2026-07-28 at a server of 2025/,
    scenario: /^tasks-(?!status-notifications)/,
    reason: 'the tasks extension is of the 2026 era: a server that speaks 2025 only has no task to show',
  },
  {
    run: /^2026-07-28/,
    scenario: /^tasks-status-notifications$/,
    reason: 'the suite skips it always, until it is rewritten for subscriptions/listen',
  },
  {
    run: /^2025-11-25/,
    scenario: /^server-sse-polling$/,
    reason:
      'pending in the suite: a server behind the platform cannot close the stream of a call, and has no tool for it',
  },
];
