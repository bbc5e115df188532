import { adviceOf, SILENCE, STEPS, type Step, type StepRow } from '#libs/connect-attempts';

/** Steps that lie further apart belong to two attempts. */
const APART_MS = 15 * 60 * 1_000;

/** One step of an attempt as it is shown. */
export interface AttemptStep {
  readonly step: Step;
  /** The rule at which it was refused. */
  readonly rule: string | null;
  readonly advice: string | null;
  readonly first_at: string;
  readonly last_at: string;
  readonly times: number;
}

/** One agent's attempt to connect. */
export interface Attempt {
  readonly id: string;
  readonly url: string;
  /** What the program calls itself. */
  readonly agent: string;
  readonly client: string | null;
  readonly state: 'connected' | 'refused' | 'waiting';
  /** Where it stopped, unless it is connected. */
  readonly stopped_at: { readonly step: Step; readonly rule: string | null; readonly advice: string } | null;
  readonly started_at: string;
  readonly last_at: string;
  readonly steps: AttemptStep[];
}

/** Puts the steps of a server's visitors together to attempts, newest first. */
export function attemptsOf(rows: readonly StepRow[]): Attempt[] {
  const groups = new Map<StepRow, StepRow[]>();
  const leaders = new Map<string, StepRow[]>();
  for (const row of rows) {
    const keys = keysOf(row);
    const near = [...new Set(keys.flatMap((key) => leaders.get(key) ?? []))].filter((group) =>
      isNear(group, row, groups),
    );
    const group = merged(near, row, groups);
    for (const key of keys) leaders.set(key, [...(leaders.get(key) ?? []).filter((known) => groups.has(known)), group]);
  }
  return [...groups.values()].map(attemptOf).sort((one, other) => other.last_at.localeCompare(one.last_at));
}

/** What ties a step to others: its visitor, and what several visitors of one attempt share. */
function keysOf({ resource, visitor, thread }: StepRow): string[] {
  const own = `${resource} visitor ${visitor}`;
  return thread === '' ? [own] : [own, `${resource} thread ${thread}`];
}

function isNear(leader: StepRow, row: StepRow, groups: ReadonlyMap<StepRow, StepRow[]>): boolean {
  const group = groups.get(leader) ?? [];
  return group.some((other) => row.first_at.getTime() - other.last_at.getTime() < APART_MS);
}

/** The one group that a row and everything near it now form. */
function merged(near: readonly StepRow[], row: StepRow, groups: Map<StepRow, StepRow[]>): StepRow {
  const all = [...near.flatMap((leader) => groups.get(leader) ?? []), row];
  for (const leader of near) groups.delete(leader);
  const leader = near[0] ?? row;
  groups.set(leader, all);
  return leader;
}

function attemptOf(rows: readonly StepRow[]): Attempt {
  const steps = rows.flatMap(stepOf).sort((one, other) => orderOf(one) - orderOf(other));
  const latest = rows.toSorted((one, other) => rank(one) - rank(other)).at(-1);
  const agent = rows.find(({ program }) => program !== 'browser' && program !== 'unknown') ?? rows[0];
  const stop = latest === undefined ? null : stopOf(latest);
  return {
    id: rows[0]?.id ?? '',
    url: rows[0]?.resource ?? '',
    agent: agent?.program ?? 'unknown',
    client: rows.find(({ client }) => client !== null)?.client ?? null,
    state: stop === null ? 'connected' : stop.rule === null ? 'waiting' : 'refused',
    stopped_at: stop,
    started_at: new Date(Math.min(...rows.map((row) => row.first_at.getTime()))).toISOString(),
    last_at: new Date(Math.max(...rows.map((row) => row.last_at.getTime()))).toISOString(),
    steps,
  };
}

function orderOf(step: AttemptStep): number {
  return STEPS.indexOf(step.step) * 1e15 + Date.parse(step.first_at);
}

/** By time; of two steps at the same time the later one of the way counts. */
function rank(row: StepRow): number {
  return row.last_at.getTime() + (isStep(row.step) ? STEPS.indexOf(row.step) / 100 : 0);
}

function stopOf({ step, rule }: StepRow): Attempt['stopped_at'] {
  if (!isStep(step)) return null;
  if (rule !== 'ok') return { step, rule, advice: adviceOf(rule) };
  return step === 'list' ? null : { step, rule: null, advice: SILENCE[step] };
}

function stepOf(row: StepRow): AttemptStep[] {
  if (!isStep(row.step)) return [];
  const rule = row.rule === 'ok' ? null : row.rule;
  const { times } = row;
  const advice = rule === null ? null : adviceOf(rule);
  return [
    { step: row.step, rule, advice, first_at: row.first_at.toISOString(), last_at: row.last_at.toISOString(), times },
  ];
}

function isStep(text: string): text is Step {
  return STEPS.some((step) => step === text);
}
