import type { CallToolResult } from '@modelcontextprotocol/server';
import { partsOf, partUri, RESULT_PART_BYTES } from '#libs/protocol';
import { cutText } from './results.js';
import type { KeptLink, LargeAnswer } from './kept-results.js';

const EXCERPT_BYTES_MAX = 4 * 1024;
/** Where a link says in how many parts its resource can be read, and how large they are. */
const PARTS_META = 'wharf/parts';

/** A result that links to where its answer is kept, with the beginning of a text. `told` says what was answered, by whom. */
export function linkedResult(told: string, { uri, seconds }: KeptLink, answer: LargeAnswer): CallToolResult {
  const { content, mediaType, text } = answer;
  const until = new Date(Date.now() + seconds * 1_000).toISOString();
  const parts = partsOf(content.length);
  const inParts = `, or one of its ${parts} parts of ${RESULT_PART_BYTES} bytes: ${partUri(uri, 1)} to ?part=${parts}`;
  const kept =
    `${told} with ${mediaType} of ${content.length} bytes, too large to be shown. It is kept until ${until}, for you ` +
    `at this server: read the resource ${uri}${parts > 1 ? inParts : ''}`;
  const excerpt = text
    ? `\nIt begins:\n${cutText(content.toString('utf8', 0, EXCERPT_BYTES_MAX + 4), EXCERPT_BYTES_MAX)}`
    : '';
  const link = { type: 'resource_link' as const, uri, name: 'result', mimeType: mediaType, size: content.length };
  const divided = parts > 1 ? { _meta: { [PARTS_META]: { parts, part_bytes: RESULT_PART_BYTES } } } : {};
  return {
    content: [
      { type: 'text', text: `${kept}${excerpt}` },
      { ...link, ...divided },
    ],
  };
}
