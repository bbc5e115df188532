import { adviceOf, SILENCE, STEPS, type Step, type StepRow } from '#libs/connect-attempts';
import { groupsOf } from './groups.js';

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
  return groupsOf(rows)
    .map(attemptOf)
    .sort((one, other) => other.last_at.localeCompare(one.last_at));
}

function attemptOf(rows: readonly StepRow[]): Attempt {
  const steps = rows.flatMap(stepOf).sort((one, other) => orderOf(one) - orderOf(other));
  const latest = decisive(rows);
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

/** What an agent does on its way in that many at one address do alike, and that says nothing of which it is. */
const COMMON: ReadonlySet<string> = new Set(['challenge', 'resource_metadata', 'server_metadata']);

/**
 * The step that says how an attempt stands: the last refusal unless the agent got past it since, else the last step.
 * What another agent at the same address may have done does not count where there is something else.
 */
function decisive(rows: readonly StepRow[]): StepRow | undefined {
  const own = rows.filter(({ step, rule }) => rule !== 'ok' || !COMMON.has(step));
  const judged = (own.length === 0 ? rows : own).toSorted((one, other) => rank(one) - rank(other));
  const refused = judged.findLast(({ rule }) => rule !== 'ok');
  if (refused === undefined) return judged.at(-1);
  const passed = judged.some((row) => {
    return row.rule === 'ok' && rank(row) > rank(refused) && placeOf(row.step) >= placeOf(refused.step);
  });
  return passed ? judged.at(-1) : refused;
}

function placeOf(step: string): number {
  return STEPS.findIndex((known) => known === step);
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
