import type { Envelope, RuntimeClient } from '#libs/protocol';
import { withoutServers } from '../access/server-people.js';
import type { Ending } from '../dispatch/run-call.js';
import type { RouteTable } from '../routing/route-table.js';
import type { PlacedCall, SessionUse } from '../sessions/place.js';
import type { RolloutRoute } from '../routing/tenants.repository.js';
import type { CallSamples } from './call-samples.js';
import { isSameAnswer } from './same-answer.js';
import type { SampledCall } from './sampled-call.js';
import { askInSession, askOnce } from './shadow-session.js';

/** What a candidate that nobody hears may cost a tenant at one gateway: calls at once, calls in a minute, time for each. */
const AT_ONCE_MAX = 4;
const IN_A_MINUTE_MAX = 600;
const MINUTE_MS = 60_000;
const DEADLINE_MS = 10_000;

interface Spending {
  running: number;
  inMinute: number;
  minute: number;
}

/**
 * Asks the candidate of a shadow rollout what the stable release has answered, and compares. Only tools that both releases
 * call read-only, sessions only of releases that remember nothing of them, and never so that anybody waits for it or hears
 * of it.
 */
export class ShadowCalls {
  readonly #spending = new Map<string, Spending>();

  constructor(
    private readonly runtime: RuntimeClient,
    private readonly routes: Pick<RouteTable, 'withCandidate'>,
    private readonly samples: CallSamples,
  ) {}

  /** Runs the call on the candidate as well, where the rollout wants it and its cost allows it. */
  follow(call: PlacedCall, envelope: Envelope, sampled: SampledCall, stable: Ending): void {
    const { rollout, tool } = sampled;
    if (!call.tenant.flags.shadow_calls) return;
    if (stable.kind !== 'done' || stable.outcome !== 'ok') return;
    if (!isAlone(call.session, rollout)) return;
    if (tool === undefined || !rollout.readOnlyTools.includes(tool)) return;
    if (Math.random() * 100 >= rollout.shadowPercent) return;
    const spending = this.#spend(call.tenant.tenantId);
    if (spending === undefined) return;
    const end = (): void => {
      spending.running -= 1;
    };
    // What went wrong on our side says nothing of the candidate.
    void this.#ask(call, envelope, sampled, stable.message).then(end, end);
  }

  /** Asks the candidate, and counts its answer. */
  async #ask(call: PlacedCall, envelope: Envelope, { rollout, mount, tool }: SampledCall, said: Buffer): Promise<void> {
    const { progress: _, recordsContent: __, ...asked } = envelope;
    const ours = {
      ...asked,
      route: withoutServers(this.routes.withCandidate(call, mount.serverSlug), call.closedServers),
      deadlineMs: Math.min(envelope.deadlineMs, Date.now() + DEADLINE_MS),
    };
    const ask = call.session.kind === 'none' ? askOnce : askInSession;
    const answered = await ask(this.runtime, ours, call.exchange.payload);
    if (answered === undefined) return;
    const { ending, ms } = answered;
    const same = ending.kind === 'done' && isSameAnswer(ending.message, said);
    const candidate = { rollout, tool, mount: { ...mount, releaseId: rollout.candidateId } };
    this.samples.add(call.tenant.tenantId, candidate, ending, ms, same ? 'same' : 'different');
  }

  #spend(tenantId: string): Spending | undefined {
    const minute = Math.floor(Date.now() / MINUTE_MS);
    let spending = this.#spending.get(tenantId);
    if (spending === undefined) {
      for (const [idle, old] of this.#spending)
        if (old.running === 0 && old.minute !== minute) this.#spending.delete(idle);
      spending = { running: 0, inMinute: 0, minute };
      this.#spending.set(tenantId, spending);
    }
    if (spending.minute !== minute) Object.assign(spending, { minute, inMinute: 0 });
    if (spending.running >= AT_ONCE_MAX || spending.inMinute >= IN_A_MINUTE_MAX) return undefined;
    spending.running += 1;
    spending.inMinute += 1;
    return spending;
  }
}

/** Whether a call means the same in whatever session it is asked. */
function isAlone({ kind }: SessionUse, { shadowsSessions }: RolloutRoute): boolean {
  return kind === 'none' || (kind === 'uses' && shadowsSessions);
}
