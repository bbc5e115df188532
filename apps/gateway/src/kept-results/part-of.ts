import { RESULT_PART_BYTES } from '#libs/protocol';

const CONTINUES = 0b1000_0000;
const CONTINUES_MASK = 0b1100_0000;

/** A part of a kept answer, counted from 1. No character of a text is cut in two: all parts together are the whole. */
export function partOf(content: Buffer, text: boolean, part: number): Buffer {
  const at = (bytes: number): number => (text ? characterAt(content, bytes) : bytes);
  return content.subarray(at((part - 1) * RESULT_PART_BYTES), at(part * RESULT_PART_BYTES));
}

/** Where the UTF-8 character begins that this byte is of. */
function characterAt(content: Buffer, byte: number): number {
  let at = Math.min(byte, content.length);
  while (at > 0 && ((content[at] ?? 0) & CONTINUES_MASK) === CONTINUES) at -= 1;
  return at;
}
