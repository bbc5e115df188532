import type { CallToolResult } from '@modelcontextprotocol/server';

/** Most text of a result, in UTF-8 bytes. */
export const TEXT_BYTES_MAX = 1024 * 1024;
/** Most bytes that one UTF-16 unit takes in UTF-8. */
const UTF8_BYTES_MAX = 3;

/** How long what a text begins is in all, and how much of it may be shown. */
export interface TextBounds {
  readonly bytesTotal?: number;
  readonly shownMax?: number;
}

/** A result of one text; `bytesTotal` when the text is only the beginning of something longer. */
export function textResult(text: string, bounds?: TextBounds): CallToolResult {
  return { content: [{ type: 'text', text: boundedText(text, bounds) }] };
}

/** A result that tells the agent what went wrong and what to do. */
export function errorResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text: boundedText(text) }], isError: true };
}

/** The text, or as much of it as may travel with a note about the rest. */
export function boundedText(text: string, { bytesTotal, shownMax = TEXT_BYTES_MAX }: TextBounds = {}): string {
  const total = bytesTotal ?? Buffer.byteLength(text);
  if (total <= shownMax && text.length <= shownMax) return cutText(text, shownMax);
  return `${cutText(text, shownMax)}\n\n[Cut here: the first ${shownMax} of ${total} bytes are shown. Ask for less, for example with a filter, fewer fields or a smaller page.]`;
}

/** The beginning of a text, cut between characters. */
export function cutText(text: string, bytesMax: number): string {
  if (text.length * UTF8_BYTES_MAX <= bytesMax) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString('utf8');
}
