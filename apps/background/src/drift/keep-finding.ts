import { inc, prerelease } from 'semver';
import { appendAudit } from '#libs/audit';
import { putBlob } from '#libs/blobs';
import type { Transaction } from '#libs/database';
import { canonicalJson, sha256Digest } from '#libs/protocol';
import { CONTROLLER } from '#libs/rollouts';
import * as candidates from './candidates.repository.js';
import { noteLook, type Finding, type WatchedServer, type WatchOutcome } from './watched-server.js';

/** New candidates of a server in a day: an upstream that never says the same twice makes no more. */
const NEW_A_DAY_MAX = 10;
const VERSIONS_TRIED_MAX = 20;
const PROBLEMS_MAX = 20;

type Drifted = Extract<Finding, { kind: 'drifted' }>;
type Unusable = Extract<Finding, { kind: 'unusable' }>;
type Standing = { readonly state: candidates.CandidateState; readonly reason: string | null };

/**
 * Keeps what a look at a server's upstreams came to; the caller holds the server's lock. One fingerprint is one candidate
 * of a live release, however often it is found.
 *
 *     new ──► pending ── approved ──► rolling_out      `queued` begins its rollout as soon as the server's schedule and
 *      ├────► queued ────────────────►    ▲            its other rollouts let it (policy `auto`, nothing to look at)
 *      ├────► refused ── approved ────────┘            (policy `reject`, or somebody)
 *      └────► unusable                                 what an upstream lists cannot be a release
 *     pending, queued ── upstream lists what was approved ──► withdrawn ── found again ──► as if new
 *     pending, queued ── upstream lists something else ─────► superseded ── found again ──► as if new
 */
export async function keepFinding(tx: Transaction, server: WatchedServer, finding: Finding): Promise<void> {
  switch (finding.kind) {
    case 'unreachable':
    case 'unknown':
      return noteLook(tx, server, finding.kind, finding.detail);
    case 'same':
      return withdraw(tx, server);
    case 'unusable':
    case 'drifted':
      return keepDifference(tx, server, finding);
  }
}

async function withdraw(tx: Transaction, server: WatchedServer): Promise<void> {
  const settled = await candidates.settleOthers(tx, server, 'withdrawn', null);
  if (settled > 0) {
    const { tenantId, serverId, releaseId: base } = server;
    const details = { server: serverId, base };
    await appendAudit(tx, tenantId, [
      { event: 'drift.withdrawn', actor: CONTROLLER, target: `server:${serverId}`, outcome: 'ok', details },
    ]);
  }
  await noteLook(tx, server, 'same');
}

async function keepDifference(tx: Transaction, server: WatchedServer, finding: Drifted | Unusable): Promise<void> {
  const fingerprint = finding.kind === 'drifted' ? finding.fingerprint : problemsFingerprint(finding);
  await candidates.settleOthers(tx, server, 'superseded', fingerprint);
  const known = await candidates.findCandidate(tx, server, fingerprint);
  const outcome: WatchOutcome = finding.kind;
  if (known !== undefined && known.state !== 'withdrawn' && known.state !== 'superseded') {
    await candidates.seeAgain(tx, server.tenantId, known.id);
  } else if (known !== undefined) {
    await candidates.seeAgain(tx, server.tenantId, known.id, standingOf(server, finding));
    await tellFound(tx, server, finding, known.releaseId);
  } else if ((await candidates.countNew(tx, server)) >= NEW_A_DAY_MAX) {
    const detail = `Its upstreams listed ${NEW_A_DAY_MAX} different things within a day. There is a new candidate once there were fewer; until then calls to changed tools stay refused.`;
    return noteLook(tx, server, 'flapping', detail);
  } else {
    await (finding.kind === 'drifted'
      ? storeDrift(tx, server, finding)
      : storeUnusable(tx, server, { finding, fingerprint }));
  }
  await noteLook(tx, server, outcome);
}

async function storeDrift(tx: Transaction, server: WatchedServer, finding: Drifted): Promise<void> {
  const { fingerprint, drift, built } = finding;
  const { tenantId, serverId } = server;
  await putBlob(tx, tenantId, 'application/json', built.manifest);
  const version = nextVersion(server.version, drift.effect, await candidates.versionsOf(tx, server));
  const release = await candidates.provideRelease(tx, server, built, version);
  if (release.isNew) {
    const details = { server: serverId, number: release.number, digest: built.digest, tools: built.report.tools };
    await appendAudit(tx, tenantId, [
      { event: 'release.created', actor: CONTROLLER, target: `release:${release.id}`, outcome: 'ok', details },
    ]);
  }
  const standing =
    release.state === 'rejected'
      ? { state: 'pending' as const, reason: `Release ${release.number}, which is the same, was rejected before.` }
      : standingOf(server, finding);
  const { effect, tools, prompts, instructions } = drift;
  await candidates.storeCandidate(tx, server, {
    fingerprint,
    ...standing,
    releaseId: release.id,
    effect,
    summary: { tools, prompts, instructions },
    problems: null,
  });
  await tellFound(tx, server, finding, release.id);
}

async function storeUnusable(
  tx: Transaction,
  server: WatchedServer,
  { finding, fingerprint }: { readonly finding: Unusable; readonly fingerprint: string },
): Promise<void> {
  await candidates.storeCandidate(tx, server, {
    fingerprint,
    ...standingOf(server, finding),
    releaseId: null,
    effect: null,
    summary: null,
    problems: finding.problems.slice(0, PROBLEMS_MAX),
  });
  await tellFound(tx, server, finding, null);
}

async function tellFound(
  tx: Transaction,
  { tenantId, serverId, releaseId: base }: WatchedServer,
  finding: Drifted | Unusable,
  release: string | null,
): Promise<void> {
  const nothing = { effect: 'unusable', added: [], removed: [], changed: [], hashes: [] };
  const { drift } = finding.kind === 'drifted' ? finding : { drift: undefined };
  const differs = drift === undefined ? nothing : { effect: drift.effect, ...drift.tools, hashes: drift.hashes };
  const details = { server: serverId, base, ...(release === null ? {} : { release }), ...differs };
  await appendAudit(tx, tenantId, [
    { event: 'drift.found', actor: CONTROLLER, target: `server:${serverId}`, outcome: 'ok', details },
  ]);
}

/** Where a candidate begins, by the server's policy. */
function standingOf({ policy }: WatchedServer, finding: Drifted | Unusable): Standing {
  if (finding.kind === 'unusable')
    return { state: 'unusable', reason: 'What the upstream lists cannot be released. Have it mended there.' };
  if (policy === 'reject')
    return { state: 'refused', reason: 'The server’s policy refuses what its upstreams change.' };
  if (policy === 'approve') return { state: 'pending', reason: null };
  const { effect, needsEyes } = finding.drift;
  if (effect === 'breaking') return { state: 'pending', reason: 'It breaks agents of the live release.' };
  if (needsEyes !== undefined) return { state: 'pending', reason: needsEyes };
  return { state: 'queued', reason: null };
}

/** The next free version after the live one's; null where that bears none, or is not final. */
function nextVersion(
  live: string | null,
  effect: Drifted['drift']['effect'],
  taken: ReadonlySet<string>,
): string | null {
  if (live === null || prerelease(live) !== null) return null;
  let version = inc(live, effect === 'wording' || effect === 'none' ? 'patch' : 'minor');
  for (let tried = 0; version !== null && tried < VERSIONS_TRIED_MAX; tried += 1) {
    if (!taken.has(version)) return version;
    version = inc(version, 'patch');
  }
  return null;
}

function problemsFingerprint({ problems }: Unusable): string {
  return sha256Digest(canonicalJson(problems));
}
