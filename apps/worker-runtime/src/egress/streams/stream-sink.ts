/** Where a streamed answer goes as it comes. */
export interface StreamSink {
  /** Its head; called once, before any data. */
  began(status: number, headers: Readonly<Record<string, string>>): void;
  /** The next bytes; false when no more can be taken. */
  data(bytes: Buffer): boolean;
}

/** Whether an answer is an event stream (HTML, 9.2.3). */
export function isEventStream(contentType: string | string[] | undefined): boolean {
  return /^text\/event-stream\s*(?:;|$)/i.test(String(contentType ?? '').trim());
}
