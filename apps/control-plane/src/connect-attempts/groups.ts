import type { StepRow } from '#libs/connect-attempts';

/** Steps that lie further apart belong to two attempts. */
const APART_MS = 15 * 60 * 1_000;
/** What a person's browser does, not the agent. */
const OF_BROWSERS = new Set(['authorize', 'login', 'consent']);
/** What needs a token. */
const AFTER_TOKEN = new Set(['connect', 'list']);

/** The steps of one attempt, oldest first. */
type Group = StepRow[];

/**
 * Which steps belong to one attempt. A client's registration, or one authorization request, holds steps together
 * (`thread`). What a visitor did without either (being challenged, reading metadata) belongs to every attempt of that
 * visitor at the time, for an address may be a whole cloud of agents; what belongs to none is an attempt of its own.
 */
export function groupsOf(rows: readonly StepRow[]): Group[] {
  const threads = grouped(
    rows.filter(({ thread }) => thread !== ''),
    (row) => `${row.resource} ${row.thread}`,
  );
  const left: StepRow[] = [];
  const added = new Map<Group, StepRow[]>();
  for (const row of rows.filter(({ thread }) => thread === '')) {
    const owners = ownersOf(row, threads);
    if (owners.length === 0) left.push(row);
    for (const owner of owners) added.set(owner, [...(added.get(owner) ?? []), row]);
  }
  const alone = grouped(left, (row) => `${row.resource} ${row.visitor}`);
  const adopted = new Set<Group>();
  const complete = threads.map((group) => {
    const beginning = isBrowserOnly(group)
      ? alone.find((other) => !adopted.has(other) && begins(other, group))
      : undefined;
    if (beginning !== undefined) adopted.add(beginning);
    return [...group, ...(added.get(group) ?? []), ...(beginning ?? [])];
  });
  return [...complete, ...alone.filter((group) => !adopted.has(group))];
}

/** Rows with the same key, cut where nothing happened for a quarter of an hour. */
function grouped(rows: readonly StepRow[], keyOf: (row: StepRow) => string): Group[] {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  for (const row of rows) {
    const group = open.get(keyOf(row));
    if (group !== undefined && isNear(row, group)) {
      group.push(row);
    } else {
      const next = [row];
      open.set(keyOf(row), next);
      groups.push(next);
    }
  }
  return groups;
}

/** A refusal is one agent's: where it could be several's, or somebody's who was further on already, it stands alone. */
function ownersOf(row: StepRow, threads: readonly Group[]): Group[] {
  const owners = threads.filter((group) => belongs(row, group));
  if (row.rule === 'ok') return owners;
  const likely = owners.filter((group) => AFTER_TOKEN.has(row.step) || isBefore(row, group));
  return likely.length === 1 ? likely : [];
}

function isBefore(row: StepRow, group: Group): boolean {
  return group.every((other) => row.first_at.getTime() <= other.first_at.getTime());
}

function belongs(row: StepRow, group: Group): boolean {
  const isAgents = group.some((other) => other.visitor === row.visitor && !OF_BROWSERS.has(other.step));
  if (!isAgents || row.resource !== group[0]?.resource || !isNear(row, group)) return false;
  return !AFTER_TOKEN.has(row.step) || group.some(({ step, rule }) => step === 'token' && rule === 'ok');
}

function isBrowserOnly(group: Group): boolean {
  return group.every(({ step }) => OF_BROWSERS.has(step));
}

/** Whether an agent at the same address had been on its way to where a browser then went. */
function begins(agent: Group, browser: Group): boolean {
  const [first] = browser;
  return (
    first !== undefined &&
    agent.every(({ step, place, resource }) => {
      return !AFTER_TOKEN.has(step) && place === first.place && resource === first.resource;
    }) &&
    isNear(first, agent)
  );
}

function isNear(row: StepRow, group: Group): boolean {
  return group.some(
    (other) =>
      row.first_at.getTime() - other.last_at.getTime() < APART_MS &&
      other.first_at.getTime() - row.last_at.getTime() < APART_MS,
  );
}
