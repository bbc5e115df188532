import type { Readable } from 'node:stream';
import { ArchiveError } from '#libs/tenant-archive';

/** Longer than any row that an export writes: an archived part of a log is 1 MiB, in hexadecimal. */
export const LINE_BYTES_MAX = 8 * 1024 * 1024;

const LINE_END = 0x0a;

/** The lines of a file, each within its bound, in UTF-8. @throws ArchiveError */
export async function* linesOf(path: string, content: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decoded = (bytes: Buffer): string => {
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw new ArchiveError(`${path} holds a line that is no UTF-8. No export writes such; use another copy.`, {
        cause: error,
      });
    }
  };
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const part of content as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = part.indexOf(LINE_END); end !== -1; end = part.indexOf(LINE_END, from)) {
      const line = Buffer.concat([...waiting, part.subarray(from, end)]);
      requireShort(path, line.length);
      if (line.length > 0) yield decoded(line);
      waiting = [];
      bytes = 0;
      from = end + 1;
    }
    if (from < part.length) waiting.push(part.subarray(from));
    bytes += part.length - from;
    requireShort(path, bytes);
  }
  if (bytes > 0) yield decoded(Buffer.concat(waiting));
}

function requireShort(path: string, bytes: number): void {
  if (bytes > LINE_BYTES_MAX)
    throw new ArchiveError(`${path} holds a line of more than ${LINE_BYTES_MAX} bytes. No export writes such.`);
}
