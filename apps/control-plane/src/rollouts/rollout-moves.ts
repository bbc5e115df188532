import { Inject, Injectable } from '@nestjs/common';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import {
  abortRollout,
  acceptChanges,
  endDrain,
  findRollout,
  isOpen,
  lockRollout,
  pauseRollout,
  resumeRollout,
  switchRollout,
  type Cause,
  type Rollout,
  type RolloutState,
} from '#libs/rollouts';
import { actorOf, type TenantCaller } from '../access/caller.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { requireOpen } from '../releases/publishing/release-step.js';
import { ServersRepository } from '../servers/servers.repository.js';
import { rolloutView } from './rollout-view.js';
import type { RolloutAnswer } from './rollouts.schema.js';

type Where = { readonly server: string; readonly rollout: string };
type Transition = (tx: Transaction, rollout: Rollout, cause: Cause) => Promise<void>;

/** What somebody wants a rollout to do, and where it may be then. */
interface Move {
  readonly to: string;
  readonly from: Partial<Record<RolloutState, Transition>>;
  /** Whether more callers meet the candidate by it: not at every time. */
  readonly goesOut?: true;
}

const PAUSE: Move = { to: 'paused', from: { running: pauseRollout } };
/** Whoever lets a rollout go on has seen which probes are answered differently. */
const accepting =
  (transition: Transition): Transition =>
  async (tx, rollout, cause) => {
    await acceptChanges(tx, rollout);
    await transition(tx, rollout, cause);
  };

const RESUME: Move = { to: 'resumed', from: { paused: accepting(resumeRollout) } };
const PROMOTE: Move = {
  to: 'promoted',
  goesOut: true,
  from: { running: accepting(switchRollout), paused: accepting(switchRollout), draining: endDrain },
};
const ABORT: Move = {
  to: 'aborted',
  from: { checking: abortRollout, running: abortRollout, paused: abortRollout, draining: abortRollout },
};

/** Moves rollouts where somebody wants them. @throws AppError `not_found`, or `conflict` from where a rollout stands */
@Injectable()
export class RolloutMoves {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
  ) {}

  async pause(caller: TenantCaller, where: Where): Promise<{ rollout: RolloutAnswer }> {
    return this.#move(caller, where, PAUSE);
  }

  async resume(caller: TenantCaller, where: Where): Promise<{ rollout: RolloutAnswer }> {
    return this.#move(caller, where, RESUME);
  }

  async promote(caller: TenantCaller, where: Where): Promise<{ rollout: RolloutAnswer }> {
    return this.#move(caller, where, PROMOTE);
  }

  async abort(caller: TenantCaller, where: Where): Promise<{ rollout: RolloutAnswer }> {
    return this.#move(caller, where, ABORT);
  }

  async #move(caller: TenantCaller, where: Where, { to, from, goesOut }: Move): Promise<{ rollout: RolloutAnswer }> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.lock(tx, tenantId, where.server);
      const rollout = server && (await lockRollout(tx, tenantId, where.rollout));
      if (rollout === undefined || rollout.serverId !== server?.id) throw new AppError('not_found');
      const transition = from[rollout.state];
      if (transition === undefined) throw new AppError('conflict', { message: refusal(rollout, to) });
      if (goesOut === true && rollout.state !== 'draining') await requireOpen(tx, tenantId, server.id);
      await transition(tx, rollout, { actor: actorOf(caller), reason: `Somebody wanted it ${to}.` });
      const moved = await findRollout(tx, tenantId, rollout.id);
      return { rollout: rolloutView(moved ?? rollout) };
    });
  }
}

function refusal({ state, reason }: Rollout, to: string): string {
  if (isOpen(state)) return `The rollout is ${state} and cannot be ${to} from there.`;
  return `The rollout is over: it was ${state.replace('_', ' ')}. ${reason ?? ''} Begin another one.`;
}
