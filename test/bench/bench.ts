import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '#libs/embedded';
import { Report } from './report/report.js';
import { startPeers } from './peers/peers.js';
import { reportBudget } from './rounds/budget.js';
import { measureCold } from './rounds/cold.js';
import { compare, type Contest, type Pace } from './rounds/compare.js';
import { contestsOf, startOthers } from './rounds/contests.js';
import { measureFairness } from './rounds/fairness.js';
import { measureManyTenants } from './rounds/many-tenants.js';
import { measureSessions } from './rounds/sessions.js';
import { measureStartUp } from './rounds/start-up.js';
import { startListening } from './servers/program.js';

const PACE = { rounds: 3, measureMs: 1_500, warmCallsFirst: 20_000, warmCalls: 1_000 };

/**
 * What is measured: everything, the contests alone, `tools/call` alone, one contest with programs from npm, or what a
 * noisy neighbour does.
 */
const PLANS = {
  all: { tenants: 9, pace: PACE },
  quick: { tenants: 1, pace: PACE },
  call: { tenants: 1, pace: { ...PACE, rounds: 5, measureMs: 3_000 } },
  peers: { tenants: 1, pace: PACE },
  fairness: { tenants: 2, pace: PACE },
} as const;

/** Runs the bench. */
export async function bench(asked = 'all'): Promise<void> {
  if (!Object.hasOwn(PLANS, asked)) throw new Error(`npm run bench -- [${Object.keys(PLANS).join('|')}]`);
  const plan = PLANS[asked as keyof typeof PLANS]; // the line above
  const report = new Report();
  await using stack = new AsyncDisposableStack();
  const dataDir = mkdtempSync(path.join(tmpdir(), 'wharf-bench-'));
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const upstream = await startListening('upstream');
  stack.defer(() => upstream.stop());
  const port = await freePort();
  if (asked === 'fairness') {
    await measureFairness(report, { dataDir, port, upstreamPort: upstream.port });
    return report.save();
  }
  const { wharf, tenants } = await measureStartUp(report, {
    dataDir,
    port,
    upstreamPort: upstream.port,
    tenants: plan.tenants,
  });
  stack.defer(() => wharf.stop());
  const [first, ...others] = tenants;
  if (first === undefined) return;
  if (asked === 'all') await measureCold(report, wharf, others);
  const beside = await startOthers(upstream.port);
  stack.defer(() => {
    beside.bare.stop();
    beside.raw.stop();
  });
  const contests = await contestsOf(wharf, first, beside);
  if (asked === 'peers') await comparePeers(contests, upstream.port, plan.pace, report);
  else {
    await compare(asked === 'call' ? callsAlone(contests) : contests, plan.pace, report);
    await reportBudget(report, wharf, first);
  }
  if (asked === 'all') {
    await measureSessions(report, wharf, others.slice(0, 4));
    await measureManyTenants(report, wharf, first);
  }
  report.save();
}

/** The first contest, of the platform and its equal. */
function callsAlone([contest]: readonly Contest[]): Contest[] {
  return contest === undefined ? [] : [{ ...contest, contenders: contest.contenders.slice(0, 3) }];
}

/** The first contest, with the peers in it. */
async function comparePeers(
  [contest]: readonly Contest[],
  upstreamPort: number,
  pace: Pace,
  report: Report,
): Promise<void> {
  if (contest === undefined) return;
  const peers = await startPeers(upstreamPort);
  try {
    const [bare, platform] = contest.contenders;
    const contenders = [bare, platform, ...peers.contenders].filter((contender) => contender !== undefined);
    await compare([{ ...contest, contenders }], pace, report);
  } finally {
    peers.stop();
  }
}
