import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { CliProblem } from '../problem.js';
import type { Session } from '../session/session.js';

const PAUSE_MS = 1_000;
/** An export ends within an hour; waiting for the one before it may come on top. */
const WAIT_MS = 2 * 60 * 60_000;

const exportSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  progress: z.looseObject({ file: z.string().optional(), files: z.number().optional() }),
  bytes: z.number().nullable(),
  digest: z.string().nullable(),
  failure: z.string().nullable(),
});

/** An archive of the tenant, as the management API shows it. */
export type SeenExport = z.infer<typeof exportSchema>;

/** How far an archive is: the first files are its tables, of which there are a few dozen. */
export interface Told {
  readonly part: number;
}

const FILES_USUAL = 60;

/** Archives of the tenant that is signed in to. */
export class ExportsApi {
  constructor(private readonly session: Session) {}

  /** Has one made. @throws ApiProblem where another one is being made, or whoever asks is no owner */
  async ask(secrets: object): Promise<SeenExport> {
    const door = await this.session.door();
    return await door.ask({ method: 'POST', path: '/v1/tenant/exports', body: { secrets } }, exportSchema);
  }

  /** Looks until it is ready. @throws CliProblem where it failed, or takes longer than it may */
  async wait({ id }: SeenExport, onProgress: (told: Told) => void): Promise<SeenExport> {
    const until = Date.now() + WAIT_MS;
    while (Date.now() < until) {
      const door = await this.session.door();
      const seen = await door.ask({ method: 'GET', path: `/v1/tenant/exports/${id}` }, exportSchema);
      if (seen.state === 'ready') return seen;
      if (seen.state !== 'waiting' && seen.state !== 'making')
        throw new CliProblem(`The archive could not be made: ${seen.failure ?? seen.state}`, 'Ask for it again.');
      onProgress({ part: Math.min(0.99, (seen.progress.files ?? 0) / FILES_USUAL) });
      await pause(PAUSE_MS);
    }
    throw new CliProblem('The archive was not ready within two hours.', `It is export ${id}: download it when it is.`);
  }

  /** Its bytes. @throws ApiProblem where it is gone */
  async content({ id }: SeenExport): Promise<AsyncIterable<Uint8Array>> {
    const door = await this.session.door();
    return door.download(`/v1/tenant/exports/${id}/content`);
  }
}
