import type { ServerResponse } from 'node:http';

/** Runs `done` when the exchange ends; at once where its client is gone already. */
export function whenClosed(response: ServerResponse, done: () => void): void {
  if (response.destroyed) done();
  else response.once('close', done);
}
