import type { CallContent, EgressContext } from '#libs/protocol';
import { Redaction } from '../egress/redaction.js';
import { redactedMessage } from './redacted-message.js';
import type { WorkerCall } from './worker-call.js';

const BYTES_MAX = 16 * 1024;
const redactions = new WeakMap<EgressContext, Redaction>();

/**
 * What a worker says of a call, as the audit log may have it: only where it was asked for, bounded, and without any secret
 * of the tenant. A worker that runs code of others may say anything.
 */
export function recordedContent({ envelope, context }: WorkerCall, content: CallContent): CallContent | undefined {
  if (envelope.recordsContent !== true) return undefined;
  const { arguments: asked, result } = content;
  const bytes = Buffer.from(JSON.stringify({ arguments: asked, result }));
  if (bytes.length > BYTES_MAX) return { arguments: { omitted_bytes: bytes.length } };
  return JSON.parse(redactedMessage(bytes, redactionOf(context)).toString('utf8')) as CallContent; // what was serialized above
}

function redactionOf(context: EgressContext): Redaction {
  const known = redactions.get(context) ?? new Redaction(Object.values(context.secrets));
  redactions.set(context, known);
  return known;
}
