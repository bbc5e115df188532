import { setTimeout as pause } from 'node:timers/promises';
import type { Run } from '../commands/command.js';
import { findServers } from '../tenant/servers-api.js';

/** Longer than an installation takes that is well; nobody who presses Tab waits for another. */
const PATIENCE_MS = 2_000;

/** Values that are looked up, by the name of what takes them in the usage. */
const LOOKED_UP: Readonly<Record<string, (run: Run) => Promise<readonly string[]>>> = {
  profile: (run) => run.profiles.names(),
  server: async (run) => (await findServers(await run.session())).servers.map(({ slug }) => slug),
};

/** The values that there are for one; none where nobody answers in time, or nobody is signed in. */
export async function valuesOf(run: Run, name: string): Promise<readonly string[]> {
  const values = LOOKED_UP[name]?.(run).catch(() => []) ?? [];
  return Promise.race([values, pause(PATIENCE_MS, [], { ref: false })]);
}
