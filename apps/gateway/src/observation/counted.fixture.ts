import { setTimeout as pause } from 'node:timers/promises';
import { metricsText } from '#libs/telemetry';

const DEADLINE_MS = 20_000;

/** What metrics of these names count, `name{label="value",…}` → value, without the labels of OpenTelemetry and of tenants. */
export async function countsOf(names: RegExp): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [, name = '', labels = '', value] of (await metricsText()).matchAll(/^([a-z_]+)\{(.*)\} (\S+)$/gm)) {
    if (!names.test(name)) continue;
    counts[`${name}{${labels.replace(/,?otel_scope_name="\w+"/, '').replaceAll('"', '')}}`] = Number(value);
  }
  return counts;
}

/** Asks until it holds. @throws Error when it does not in time */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const lateMs = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > lateMs) throw new Error('it never came to be');
    await pause(20);
  }
}
