import { z } from 'zod';
import { releaseSourceSchema, remoteAccess, type EgressContext, type FromRunnerFrame } from '#libs/protocol';
import { EgressPolicy } from '../egress/egress-policy.js';
import type { Egress } from '../egress/egress.js';
import type { WorkerProcess } from '../isolation/worker-driver.js';
import { WorkerFetches } from './worker-fetches.js';
import type { BuildOrder } from './build-order.js';

/** The requests that a build makes to the upstream servers its source names, and to nobody else. */
export interface BuildFetches {
  /** Takes a frame that is about a request; false for every other. */
  receive(frame: FromRunnerFrame, payload: Buffer): boolean;
  /** Ends what is under way: the worker is gone. */
  end(): void;
}

/** Lets a build make requests, with what egress may do for its tenant. */
export function buildFetches(
  process: WorkerProcess,
  { tenantId, serverSlug, sourceBytes, payload, deadlineMs, tokens }: BuildOrder,
  context: EgressContext,
  egress: Egress,
): BuildFetches {
  const policy = policyOf(payload.subarray(0, sourceBytes));
  const owner = { tenantId, policyOf: () => policy, serversOf: () => [serverSlug] };
  const fetches = new WorkerFetches(process, owner, egress);
  const exchange = {
    deadlineMs,
    lastMs: deadlineMs,
    context,
    tokens,
    traceparent: undefined,
    addUpstream: () => undefined,
    addEgress: () => undefined,
    stoppedBy: () => undefined,
  };
  return {
    receive: (frame, body) => {
      if (frame.t === 'fetch') void fetches.start(frame, body, exchange);
      else if (frame.t === 'fetch-abort') fetches.abort(frame.f);
      else return false;
      return true;
    },
    end: () => fetches.abortAll(),
  };
}

/** What a source of upstream servers may reach; nothing for what is none. */
function policyOf(source: Buffer): EgressPolicy | undefined {
  try {
    const parsed = releaseSourceSchema.parse(JSON.parse(source.toString('utf8')));
    return parsed.kind === 'remote' ? EgressPolicy.ofBuild(remoteAccess(parsed.upstreams)) : undefined;
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return undefined; // the build says what is wrong
    throw error;
  }
}
