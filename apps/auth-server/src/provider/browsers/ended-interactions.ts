import { setTimeout as pause } from 'node:timers/promises';
import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Database } from '#libs/database';
import { OneTimeStore } from '../artifacts/one-time-store.js';
import { PresentedStore } from '../artifacts/presented-store.js';
import type { RowSeals } from '../artifacts/row-seals.js';
import { GoneOnWith } from '../models/interaction-store.js';
import type { PendingInteraction } from './pending-interaction.js';

/** As long as the code in such an answer is good. */
const KEPT_SECONDS = 60;
/** When it is looked for where a browser is sent that is being sent there at this moment; each wait is twice the last. */
const POLLS = 7;
const POLL_MS = 20;
/** How long a request has for deciding; one that broke off before it had is not waited for longer. */
const DECIDING_SECONDS = 5;
/** Where a context's state says that another request has gone on with its interaction. */
const SECOND = 'secondRequest';

/** Where an interaction ended: what its form was bound to, and where its person was sent. */
export interface EndedInteraction extends Pick<PendingInteraction, 'uid' | 'step' | 'accountId'> {
  readonly location: string;
}

/** Where interactions have just ended, for the second post of a form whose button was pressed twice. */
export class EndedInteractions {
  readonly #store: PresentedStore;
  readonly #deciding: OneTimeStore;

  constructor(
    private readonly provider: Provider,
    database: Database,
    seals: RowSeals,
  ) {
    this.#store = new PresentedStore('EndedInteraction', database, seals);
    this.#deciding = new OneTimeStore('InteractionDecision', database, seals);
    provider.on('authorization.error', (ctx, error) => {
      const gone = error instanceof errors.SessionNotFound && ctx.oidc.entities.Interaction === undefined;
      ctx.state[SECOND] = gone || error instanceof GoneOnWith;
    });
  }

  /** Whether this request is the one that decides about an interaction; of several at once one is. */
  async decides(uid: string): Promise<boolean> {
    return this.#deciding.noteFirst(uid, DECIDING_SECONDS);
  }

  /** Where it ended, within a minute; waits a little for a request that is deciding about it. */
  async find(uid: string): Promise<EndedInteraction | undefined> {
    for (let asked = 0; asked < POLLS; asked += 1) {
      const { location, step, accountId } = (await this.#store.find(uid)) ?? {};
      if (typeof location === 'string' && (step === 'login' || step === 'consent')) {
        return { uid, step, location, accountId };
      }
      if (!(await this.#deciding.isNoted(uid))) return undefined;
      await pause(POLL_MS * 2 ** asked);
    }
    return undefined;
  }

  /** Notes where the provider sends a browser whose interaction it has ended; a second request of it is sent there too. */
  async note(ctx: KoaContextWithOIDC): Promise<void> {
    if (ctx.oidc?.route !== 'resume') return;
    if (ctx.state[SECOND] === true) return this.#sendThere(ctx);
    const interaction = ctx.oidc.entities.Interaction;
    const location: unknown = ctx.response.get('location');
    // A path of ours is the interaction's next page, where it goes on.
    if (interaction === undefined || typeof location !== 'string' || !URL.canParse(location)) return;
    const { uid, prompt, session } = interaction;
    await this.#store.upsert(uid, { location, step: prompt.name, accountId: session?.accountId }, KEPT_SECONDS);
  }

  /** The signed cookie, which scripts and other sites cannot read, says that it is the same browser. */
  async #sendThere(ctx: KoaContextWithOIDC): Promise<void> {
    const uid = ctx.cookies.get(this.provider.cookieName('resume'), { signed: true });
    const ended = uid === undefined ? undefined : await this.find(uid);
    if (ended === undefined) return;
    ctx.status = 303;
    ctx.set('location', ended.location);
    ctx.body = '';
  }
}
