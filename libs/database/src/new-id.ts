import { randomFillSync } from 'node:crypto';

const SEQUENCE_MAX = 0xfff;
const ID_BYTES = 16;
/** The system is asked for the randomness of many ids at once: asking costs more than everything else an id takes. */
const pool = Buffer.alloc(256 * ID_BYTES);
let used = pool.length;
let lastMs = 0;
let sequence = 0;

/**
 * A new UUID version 7 (RFC 9562 §5.7): sorts by creation time, within a process also in one millisecond (§6.2,
 * method 1: a counter in `rand_a`), and cannot be guessed in its last 62 bits.
 */
export function newId(): string {
  const bytes = takeRandom();
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // Half of the range is left for the ids that follow in this millisecond.
    sequence = bytes.readUInt16BE(6) & 0x7ff;
  } else if (sequence < SEQUENCE_MAX) {
    sequence += 1;
  } else {
    lastMs += 1;
    sequence = 0;
  }
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | sequence, 6);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  bytes.fill(0);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Random bytes that nobody else gets; whoever takes them wipes them. */
function takeRandom(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.subarray(used - ID_BYTES, used);
}

/** The smallest id of a time: what is older sorts before it (RFC 9562, section 5.7). */
export function firstIdAt(at: Date): string {
  const hex = Math.max(0, at.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** With hyphens or without, as PostgreSQL reads both. */
const ID_SHAPE = /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i;

/** Whether a name is written like an id: whoever looks for one by the other would mistake it. */
export function isIdShaped(name: string): boolean {
  return ID_SHAPE.test(name);
}
