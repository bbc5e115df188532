import type { Envelope } from '#libs/protocol';
import type { Ending } from '../dispatch/run-call.js';
import type { PlacedCall } from '../sessions/place.js';
import type { CallSamples } from './call-samples.js';
import { sampledCall } from './sampled-call.js';
import type { ShadowCalls } from './shadow-calls.js';

const REFUSED: Ending = { kind: 'failed', failure: { code: 'forbidden' }, outcome: 'protocol_error' };

/** Hears how calls ended and tells the rollouts they belong to. */
export class RolloutWatch {
  constructor(
    private readonly samples: CallSamples,
    private readonly shadows: ShadowCalls,
  ) {}

  /** Counts a call that its release's tools do not let in: a candidate may have made another of a tool. */
  noteRefused(call: PlacedCall): void {
    const sampled = sampledCall(call);
    if (sampled !== undefined) this.samples.add(call.tenant.tenantId, sampled, REFUSED, 0, 'heard');
  }

  /** Counts a call of a rollout, and asks a shadow's candidate the same. */
  note(call: PlacedCall, envelope: Envelope, ending: Ending, ms: number): void {
    const sampled = sampledCall(call);
    if (sampled === undefined) return;
    this.samples.add(call.tenant.tenantId, sampled, ending, ms, 'heard');
    if (sampled.rollout.shadowPercent > 0) this.shadows.follow(call, envelope, sampled, ending);
  }
}
