import { pathToFileURL } from 'node:url';
import { processEnvironment, type Environment } from '#libs/config';
import { collectAlone } from './collect-alone.js';
import { Hosting } from './hosting.js';
import { Leaving } from './leaving.js';
import { closeServer } from './server-for.js';
import type { Service } from './service.js';

/** How long a start may go on that is told to stop. */
const START_MS = 10_000;

/**
 * Resolves when what others make for a service is there; `onWait` hears, each time that it is not yet, what is waited for.
 * It bounds its wait itself, and rejects when that is over.
 */
export type Needs = (environment: Environment, onWait: (what: string) => Promise<void>) => Promise<void>;

/**
 * Resolves when the process is told to stop. From the call on, being told ends nothing by itself: a service that is
 * starting has its work in hand already, and ends in order once it has started.
 */
function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    // Whoever started us with a channel is gone when the channel closes.
    for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(event, () => resolve());
  });
}

/**
 * Runs a service alone when its file is the process's entry: listens on `WHARF_PORT`, stops in order on SIGTERM and
 * SIGINT, `WHARF_LEAVE_MS` after it has said that it is not ready any more. While what it `needs` is not there, it listens and
 * is not ready. Where the file is imported, nothing happens.
 */
export async function runWhenMain(
  meta: ImportMeta,
  start: (environment: Environment) => Promise<Service>,
  needs?: Needs,
): Promise<void> {
  if (process.argv[1] === undefined || meta.url !== pathToFileURL(process.argv[1]).href) return;
  try {
    collectAlone();
    const environment = processEnvironment();
    const leaving = Leaving.of(environment);
    const hosting = new Hosting(environment, leaving);
    const told = toldToStop();
    let started = false;
    void told.then(() => {
      if (!hosting.hasBegun) process.exit(0);
      setTimeout(() => started || process.exit(1), START_MS).unref();
    });
    await needs?.(environment, (what) => hosting.waitFor(what));
    hosting.begin();
    const service = await start(environment);
    started = true;
    const server = await hosting.host(service);
    await told;
    service.leave?.();
    await leaving.begin();
    await Promise.all([closeServer(server), service.drain?.()]);
    await service.stop();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
