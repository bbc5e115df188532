import type { Redaction } from '../redaction.js';
import type { StreamSink } from './stream-sink.js';

const LINE_BYTES_MAX = 10 * 1024 * 1024;
const STREAM_BYTES_MAX = 256 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * A stream without secrets: what comes is held back until its line is whole, so that no secret passes in two halves (none
 * holds a line's end: it stands in a header). Lines and streams are bounded.
 */
export function redactedLines(sink: StreamSink, redaction: () => Redaction): StreamSink {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let bytes = 0;
  return {
    began: (status, headers) => sink.began(status, redaction().values(headers)),
    data: (chunk) => {
      bytes += chunk.length;
      if (bytes > STREAM_BYTES_MAX) return false;
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      const whole = end === 0 ? undefined : Buffer.concat([...held, chunk.subarray(0, end)]);
      if (whole !== undefined) [held, heldBytes] = [[], 0];
      if (end < chunk.length) {
        held.push(chunk.subarray(end));
        heldBytes += chunk.length - end;
      }
      if (heldBytes > LINE_BYTES_MAX) return false;
      return whole === undefined || sink.data(redaction().bytes(whole));
    },
  };
}
