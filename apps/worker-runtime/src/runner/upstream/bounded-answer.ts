import { EgressFailure } from '../egress/egress-stream.js';

/** Objects and arrays within each other in one message of an upstream. */
const DEPTH_MAX = 256;
/** Members of objects and elements of arrays in one message. */
const MEMBERS_MAX = 200_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * An upstream's answer, which ends with a failure as soon as a message in it is deeper or has more members than any
 * reader of it is made for: parsing a few megabytes of brackets would end the worker, and the calls of others in it.
 */
export function boundedAnswer(answer: Response): Response {
  if (answer.body === null) return answer;
  const stream = answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const measure = new Measure(stream ? 'events' : 'message');
  const body = answer.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        measure.take(chunk);
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(body, { status: answer.status, headers: answer.headers });
}

/**
 * Counts brackets and commas outside of texts. No text of JSON goes on in another line, and no message of an event stream
 * past an empty line: comments between messages neither hide what follows nor count against it.
 */
class Measure {
  #depth = 0;
  #members = 0;
  #inText = false;
  #escaped = false;
  #empty = true;
  #returned = false;

  constructor(private readonly holds: 'message' | 'events') {}

  /** @throws EgressFailure too_large */
  take(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const ends = byte === RETURN || byte === NEWLINE;
      if (ends && !(byte === NEWLINE && this.#returned)) this.#endLine();
      this.#returned = byte === RETURN;
      if (ends) continue;
      this.#empty = false;
      if (this.#inText) this.#takeText(byte);
      else if (byte === QUOTE) this.#inText = true;
      else if (byte === 0x7b || byte === 0x5b) this.#depth += 1;
      else if (byte === 0x7d || byte === 0x5d) this.#depth = Math.max(0, this.#depth - 1);
      else if (byte === 0x2c) this.#members += 1;
      if (this.#depth > DEPTH_MAX || this.#members > MEMBERS_MAX)
        throw new EgressFailure('too_large', 'a message of it is too deep, or has too many members');
    }
  }

  #takeText(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inText = false;
  }

  #endLine(): void {
    [this.#inText, this.#escaped] = [false, false];
    if (this.#empty && this.holds === 'events') [this.#depth, this.#members] = [0, 0];
    this.#empty = true;
  }
}
