import type { Transaction } from '#libs/database';

/** Hours in which releases may go out: days from 1 (Monday) to 7, `HH:MM` on the clocks of a time zone. */
export interface ReleaseWindow {
  readonly days: readonly number[];
  readonly from: string;
  readonly until: string;
  readonly time_zone: string;
}

/** When a server's releases may go out: within one of its windows (at any time without any), and not while it is frozen. */
export interface ReleaseSchedule {
  readonly windows: readonly ReleaseWindow[];
  readonly freeze: { readonly reason: string; readonly until: string | null } | null;
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Why nothing may go out at this moment, as a sentence; undefined where it may. */
export function holdAt({ windows, freeze }: ReleaseSchedule, now: Date): string | undefined {
  if (freeze !== null && (freeze.until === null || now < new Date(freeze.until))) {
    const until = freeze.until === null ? '' : ` until ${freeze.until}`;
    return `The server’s releases are frozen${until}: ${freeze.reason}`;
  }
  if (windows.length === 0 || windows.some((window) => isWithin(window, now))) return undefined;
  return `None of the server’s release windows is open now: ${windows.map(windowText).join('; ')}.`;
}

function isWithin({ days, from, until, time_zone: timeZone }: ReleaseWindow, now: Date): boolean {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(now);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((one) => one.type === type)?.value ?? '';
  const time = `${part('hour')}:${part('minute')}`;
  return days.includes(DAYS.indexOf(part('weekday')) + 1) && from <= time && time < until;
}

function windowText({ days, from, until, time_zone: zone }: ReleaseWindow): string {
  return `${days.map((day) => DAYS[day - 1]).join(', ')} ${from}–${until} (${zone})`;
}

/** A server's schedule. */
export async function readSchedule(tx: Transaction, tenantId: string, serverId: string): Promise<ReleaseSchedule> {
  const rows: Array<{ schedule: ReleaseSchedule }> = await tx.query(
    `select release_schedule as schedule from servers where tenant_id = $1 and id = $2`,
    [tenantId, serverId],
  );
  return rows[0]?.schedule ?? { windows: [], freeze: null };
}

/** Why nothing of a server may go out now; undefined where it may. */
export async function findHold(tx: Transaction, tenantId: string, serverId: string): Promise<string | undefined> {
  return holdAt(await readSchedule(tx, tenantId, serverId), new Date());
}

/** Replaces a server's schedule; the caller holds the server's lock. */
export async function writeSchedule(
  tx: Transaction,
  tenantId: string,
  serverId: string,
  schedule: ReleaseSchedule,
): Promise<void> {
  await tx.query(`update servers set release_schedule = $3 where tenant_id = $1 and id = $2`, [
    tenantId,
    serverId,
    JSON.stringify(schedule),
  ]);
}
