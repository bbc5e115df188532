import type { Envelope, RuntimeClient } from '#libs/protocol';
import { withoutServers } from '../access/server-people.js';
import type { DocumentDoor } from '../documents/document-door.js';
import type { Ending } from '../dispatch/run-call.js';
import type { RouteTable } from '../routing/route-table.js';
import type { PlacedCall } from '../sessions/place.js';
import type { CallSamples } from './call-samples.js';
import { isSameAnswer } from './same-answer.js';
import type { SampledCall } from './sampled-call.js';

/** What a candidate that nobody hears may cost a tenant at one gateway: calls at once, calls in a minute, time for each. */
const AT_ONCE_MAX = 4;
const IN_A_MINUTE_MAX = 600;
const MINUTE_MS = 60_000;
const DEADLINE_MS = 10_000;

/** What shadow calls stand on. */
export interface ShadowParts {
  readonly runtime: RuntimeClient;
  readonly routes: Pick<RouteTable, 'withCandidate'>;
  readonly samples: CallSamples;
  readonly documents: Pick<DocumentDoor, 'openReading'>;
}

interface Spending {
  running: number;
  inMinute: number;
  minute: number;
}

/**
 * Asks the candidate of a shadow rollout what the stable release has answered, and compares. Only tools that both releases
 * call read-only, only what needs no session, and never so that anybody waits for it or hears of it.
 */
export class ShadowCalls {
  readonly #spending = new Map<string, Spending>();

  constructor(private readonly parts: ShadowParts) {}

  /** Runs the call on the candidate as well, where the rollout wants it and its cost allows it. */
  follow(call: PlacedCall, envelope: Envelope, sampled: SampledCall, stable: Ending): void {
    const { runtime, routes, samples, documents } = this.parts;
    const { rollout, mount, tool } = sampled;
    if (!call.tenant.flags.shadow_calls) return;
    if (stable.kind !== 'done' || stable.outcome !== 'ok' || call.session.kind !== 'none') return;
    if (stable.facts?.keptBytes !== undefined) return; // its address is another one each time
    if (tool === undefined || !rollout.readOnlyTools.includes(tool)) return;
    if (Math.random() * 100 >= rollout.shadowPercent) return;
    const { tenantId } = call.tenant;
    const spending = this.#spend(tenantId);
    if (spending === undefined) return;
    const started = performance.now();
    const end = (ending: Ending, answer: 'same' | 'different'): void => {
      spending.running -= 1;
      const candidate = { rollout, tool, mount: { ...mount, releaseId: rollout.candidateId } };
      samples.add(tenantId, candidate, ending, performance.now() - started, answer);
    };
    const { progress: _, recordsContent: __, inlineBytes: ___, ...asked } = envelope;
    runtime.call(
      {
        ...asked,
        route: withoutServers(routes.withCandidate(call, mount.serverSlug), call.closedServers),
        deadlineMs: Math.min(envelope.deadlineMs, Date.now() + DEADLINE_MS),
      },
      call.exchange.payload,
      {
        ...documents.openReading(call),
        onPart: () => undefined,
        onDone: (message, outcome, upstreamMs, facts) =>
          end(
            { kind: 'done', message, outcome, upstreamMs, facts },
            isSameAnswer(message, stable.message) ? 'same' : 'different',
          ),
        onFail: (failure, outcome) => end({ kind: 'failed', failure, outcome }, 'different'),
      },
    );
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
