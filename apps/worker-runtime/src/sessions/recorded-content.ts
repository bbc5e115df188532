import type { CallContent, EgressContext } from '#libs/protocol';
import { Redaction } from '../egress/redaction.js';
import { isDeeperThan } from '../runner/checks/nesting.js';
import { redactedMessage } from './redacted-message.js';
import type { WorkerCall } from './worker-call.js';

const BYTES_MAX = 16 * 1024;
const DEPTH_MAX = 16;
const redactions = new WeakMap<EgressContext, Redaction>();

/**
 * What a worker says of a call, as the audit log may have it: only where it was asked for, bounded, and without any secret
 * of the tenant. A worker that runs code of others may say anything.
 */
export function recordedContent({ envelope, context }: WorkerCall, content: string): CallContent | undefined {
  if (envelope.recordsContent !== true) return undefined;
  const bytes = Buffer.from(content);
  if (bytes.length > BYTES_MAX) return { arguments: { omitted_bytes: bytes.length } };
  try {
    const said: unknown = JSON.parse(redactedMessage(bytes, redactionOf(context)).toString('utf8'));
    if (typeof said !== 'object' || said === null || isDeeperThan(said, DEPTH_MAX)) return undefined;
    const { arguments: asked, result } = said as CallContent; // its members may be of any shape
    return { ...(asked === undefined ? {} : { arguments: asked }), ...(result === undefined ? {} : { result }) };
  } catch {
    return undefined;
  }
}

function redactionOf(context: EgressContext): Redaction {
  const known = redactions.get(context) ?? new Redaction(Object.values(context.secrets));
  redactions.set(context, known);
  return known;
}
