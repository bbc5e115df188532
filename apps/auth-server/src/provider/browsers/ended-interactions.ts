import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { ArtifactStore } from '../artifacts/artifact-store.js';
import type { PendingInteraction } from './interaction-door.js';

/** As long as the code in such an answer is good. */
const KEPT_SECONDS = 60;

/** Where an interaction ended: what its form was bound to, and where its person was sent. */
export interface EndedInteraction extends Pick<PendingInteraction, 'uid' | 'step' | 'accountId'> {
  readonly location: string;
}

/** Where interactions have just ended, for the second post of a form whose button was pressed twice. */
export class EndedInteractions {
  readonly #store: ArtifactStore;

  constructor(database: Database, masterKey: Secret) {
    this.#store = new ArtifactStore('EndedInteraction', database, masterKey);
  }

  /** Where it ended, within a minute. */
  async find(uid: string): Promise<EndedInteraction | undefined> {
    const { location, step, accountId } = (await this.#store.find(uid)) ?? {};
    if (typeof location !== 'string' || (step !== 'login' && step !== 'consent')) return undefined;
    return { uid, step, location, accountId };
  }

  /** Notes where the provider sends a browser whose interaction it has ended; every other answer passes. */
  async note(ctx: KoaContextWithOIDC): Promise<void> {
    const interaction = ctx.oidc?.route === 'resume' ? ctx.oidc.entities.Interaction : undefined;
    const location: unknown = ctx.response.get('location');
    if (interaction === undefined || typeof location !== 'string' || location === '') return;
    const { uid, prompt, session } = interaction;
    await this.#store.upsert(uid, { location, step: prompt.name, accountId: session?.accountId }, KEPT_SECONDS);
  }
}
