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
    const beginnings = isBrowserOnly(group) ? alone.filter((other) => !adopted.has(other) && begins(other, group)) : [];
    // Of several programs at one address none is known to be the one.
    const beginning = beginnings.length === 1 ? beginnings[0] : undefined;
    if (beginning !== undefined) adopted.add(beginning);
    return [...group, ...(added.get(group) ?? []), ...(beginning ?? [])];
  });
  return [...complete, ...alone.filter((group) => !adopted.has(group))];
}

/** Rows with the same key, cut where nothing happened for a quarter of an hour, and where another agent begins. */
function grouped(rows: readonly StepRow[], keyOf: (row: StepRow) => string): Group[] {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  for (const row of rows) {
    const group = open.get(keyOf(row));
    if (group !== undefined && isNear(row, group) && continues(row, group)) {
      group.push(row);
    } else {
      const next = [row];
      open.set(keyOf(row), next);
      groups.push(next);
    }
  }
  return groups;
}

/** Whether a row can be of the same agent: not of another client, and no new beginning after a refusal. */
function continues(row: StepRow, group: Group): boolean {
  if (row.thread !== '') return true;
  if (row.step === 'challenge' && isRefused(group)) return false;
  return row.client === null || group.every(({ client }) => client === null || client === row.client);
}

function isRefused(group: Group): boolean {
  return group.some(({ rule }) => rule !== 'ok');
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
  // Who comes with a client document has not tried to register.
  if (row.step === 'registration' && group.some(({ client }) => client?.startsWith('https:') === true)) return false;
  return !AFTER_TOKEN.has(row.step) || group.some(({ step, rule }) => step === 'token' && rule === 'ok');
}

function isBrowserOnly(group: Group): boolean {
  return group.every(({ step }) => OF_BROWSERS.has(step));
}

/**
 * Whether an agent at the same address had been on its way to where a browser then went. One that was refused had not;
 * nor had one whose program or client is known to be another.
 */
function begins(agent: Group, browser: Group): boolean {
  const [first] = browser;
  return (
    first !== undefined &&
    !isRefused(agent) &&
    agent.some(({ first_at: at }) => at.getTime() <= first.first_at.getTime()) &&
    agent.every(({ step, place, resource, program, client }) => {
      const isSame = place === first.place && resource === first.resource && !differ(client, first.client);
      const isProgram = program !== 'browser' && (first.program === 'browser' || program === first.program);
      return isSame && isProgram && !AFTER_TOKEN.has(step);
    }) &&
    isNear(first, agent)
  );
}

function differ(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other;
}

function isNear(row: StepRow, group: Group): boolean {
  return group.some(
    (other) =>
      row.first_at.getTime() - other.last_at.getTime() < APART_MS &&
      other.first_at.getTime() - row.last_at.getTime() < APART_MS,
  );
}
