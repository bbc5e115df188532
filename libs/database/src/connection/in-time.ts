import { isConnectionTimeout } from './sql-errors.js';

const TRIES_MAX = 3;

/**
 * What `open` opens; where its connection has not come about in time it is tried again, a few times. For starts: a process
 * that starts on a busy machine reads programs for seconds, and hears no answer meanwhile.
 */
export async function inTime<Opened>(open: () => Promise<Opened>): Promise<Opened> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await open();
    } catch (error) {
      if (tries === TRIES_MAX || !isConnectionTimeout(error)) throw error;
    }
  }
}
