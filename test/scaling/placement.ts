import { Fleet, type Spread } from './fleet.js';
import { sizeFor, type Load } from './formula.js';

/** How sessions are shared out: each awake tenant has as many as any other, or the n-th has an n-th of what the first has (Zipf). */
export type Shares = 'equal' | 'uneven';

/** What a gateway's figures tell apart (`SESSIONS_MAX`), and what one connection to a runtime carries (`EXCHANGES_MAX`). */
const MOST = { sessionsOfGateway: 20_000, streamsOfConnection: 10_000 } as const;
/** Workers may be so many times what the formula says: all together, and in the busiest runtime. */
export const FACTOR = { workers: 1.2, workersOfBusiest: 1.5 } as const;
/** No tenant opens all of its sessions before the next one does. */
const ROUNDS = 20;
const SEED = 1;

/** What the fleet of a load's size came to: by itself, with a runtime less, and with that replaced and a gateway less. */
export interface Placement {
  readonly load: Load;
  readonly shares: Shares;
  readonly whole: Spread;
  readonly runtimeLost: Spread;
  readonly gatewayLost: Spread;
  /** Tenants that are at home elsewhere since a runtime was lost that was not theirs, and since another one came. */
  readonly strayed: number;
  readonly movedByOneMore: number;
}

/** Opens the sessions of a load in a fleet of the formula's size, takes a runtime away, adds one, and takes a gateway away. */
export function place(load: Load, shares: Shares): Placement {
  const { gateways, runtimes, workers: tenants } = sizeFor(load);
  const fleet = new Fleet({ gateways, runtimes, tenants }, SEED);
  openAll(fleet, sessionsOf(load, tenants, shares));
  const whole = fleet.spread();
  const before = fleet.homes();
  const lost = fleet.loseRuntime();
  const [runtimeLost, less] = [fleet.spread(), fleet.homes()];
  fleet.addRuntime();
  const more = fleet.homes();
  fleet.loseGateway();
  return {
    load,
    shares,
    whole,
    runtimeLost,
    gatewayLost: fleet.spread(),
    strayed: before.filter((at, tenant) => at !== lost && at !== less[tenant]).length,
    movedByOneMore: less.filter((at, tenant) => at !== more[tenant]).length,
  };
}

/** How many sessions each awake tenant has. */
function sessionsOf({ sessions }: Load, tenants: number, shares: Shares): number[] {
  const weights = Array.from({ length: tenants }, (_, tenant) => (shares === 'equal' ? 1 : 1 / (tenant + 1)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.max(1, Math.round((sessions * weight) / sum)));
}

function openAll(fleet: Fleet, sessions: readonly number[]): void {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [tenant, count] of sessions.entries()) {
      fleet.open(tenant, Math.floor((count * (round + 1)) / ROUNDS) - Math.floor((count * round) / ROUNDS));
    }
  }
}

/** In what a placement is not what the formula plans for: a sentence for each. */
export function misplaced(placement: Placement): string[] {
  const { load, whole, runtimeLost, gatewayLost, strayed, movedByOneMore } = placement;
  const size = sizeFor(load);
  const most = (what: string, is: number, may: number): string | undefined =>
    is <= may ? undefined : `${what}: ${is.toFixed(0)}, where ${may.toFixed(0)} may be`;
  const busiest = (what: string, { workersOfBusiest, runtimes }: Spread): string | undefined =>
    most(
      `workers of the busiest runtime${what}`,
      workersOfBusiest,
      (size.workers / runtimes) * FACTOR.workersOfBusiest,
    );
  const streams = (what: string, spread: Spread): string | undefined =>
    most(`streams of the busiest connection${what}`, spread.streamsOfBusiestConnection, MOST.streamsOfConnection);
  const sessions = (what: string, spread: Spread): string | undefined =>
    most(`sessions of the busiest gateway${what}`, spread.sessionsOfBusiestGateway, MOST.sessionsOfGateway);
  // A share of 1 in so many; what is random about few tenants is more.
  const share = size.workers / whole.runtimes;
  return [
    most('workers', whole.workers, size.workers * FACTOR.workers),
    busiest('', whole),
    busiest(' with one lost', runtimeLost),
    streams('', whole),
    streams(' with a runtime lost', runtimeLost),
    streams(' with a gateway lost', gatewayLost),
    sessions('', whole),
    sessions(' with one lost', gatewayLost),
    most('connections', whole.connections, size.gateways * size.runtimes),
    most('tenants that a lost runtime of others moved', strayed, 0),
    most('tenants that one more runtime moved', movedByOneMore, share + 4 * Math.sqrt(share)),
  ].filter((text) => text !== undefined);
}

/** What was simulated beside what the formula says, as rows of cells; the first are the headings. */
export function placementRows(placements: readonly Placement[]): string[][] {
  const headings = [
    'tenants',
    'sessions of each',
    'gateways × runtimes = connections',
    'workers: formula',
    'simulated',
    'of the busiest runtime: formula',
    'simulated',
    'with one less: formula',
    'simulated',
    'sessions of the busiest gateway: formula',
    'simulated',
    'with one less: formula',
    'simulated',
    'moved by one runtime more',
  ];
  const rows = placements.map(({ load, shares, whole, runtimeLost, gatewayLost, movedByOneMore }) => {
    const size = sizeFor(load);
    const each = (of: number, by: number): string => (of / by).toFixed(0);
    return [
      `${load.tenants}`,
      shares,
      `${whole.gateways} × ${whole.runtimes} = ${whole.connections}`,
      `${size.workers}`,
      `${whole.workers}`,
      each(size.workers, size.runtimes),
      `${whole.workersOfBusiest}`,
      each(size.workers, size.runtimes - 1),
      `${runtimeLost.workersOfBusiest}`,
      each(load.sessions, size.gateways),
      `${whole.sessionsOfBusiestGateway}`,
      each(load.sessions, size.gateways - 1),
      `${gatewayLost.sessionsOfBusiestGateway}`,
      `${((100 * movedByOneMore) / size.workers).toFixed(1)} %`,
    ];
  });
  return [headings, ...rows];
}

/** Prints what the placement of so many tenants comes to beside the formula; whether all is as that plans for. */
export function checkPlacement(tenants: readonly number[], say: (text: string) => void): boolean {
  const placements = tenants.flatMap((count) => {
    const calls = (count * 10) / 60;
    const load = {
      tenants: count,
      activeShare: 0.1,
      sessions: count * 10,
      callsPerSecondPeak: calls,
      callsPerDay: calls * 86_400,
      retentionDays: 30,
    };
    return (['equal', 'uneven'] as const).map((shares) => place(load, shares));
  });
  const [headings = [], ...rows] = placementRows(placements);
  for (const cells of [headings, headings.map(() => '---:'), ...rows]) say(`| ${cells.join(' | ')} |`);
  const wrong = placements.flatMap((placement) =>
    misplaced(placement).map((text) => `  ${placement.load.tenants} tenants, ${placement.shares}: ${text}`),
  );
  for (const text of wrong) say(text);
  return wrong.length === 0;
}
