import type { AuditEntry } from '../append.js';

const TEXT_LENGTH_MAX = 128;

/**
 * An entry that was refused for what it holds, without what can be refused: the same id, time, event and outcome, texts
 * in ASCII, and of its details what is a number or a text, with `details_lost`.
 */
export function reducedEntry(entry: AuditEntry): AuditEntry {
  const { actor, target, outcome, details = {}, sourceAddress, traceId, ...rest } = entry;
  const kept = Object.entries(details).filter(([, value]) => typeof value === 'string' || typeof value === 'number');
  const reduced = {
    ...rest,
    ...plain({ actor, target, outcome, sourceAddress, traceId }),
    details: { ...plain(Object.fromEntries(kept)), details_lost: true },
  };
  return reduced as AuditEntry; // the members that its event needs are numbers and texts
}

function plain<Value extends object>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_, part: unknown) =>
    typeof part === 'string' ? part.slice(0, TEXT_LENGTH_MAX).replace(/[^\x20-\x7e]/g, '?') : part,
  ) as Value; // the same members
}
