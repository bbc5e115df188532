import { randomBytes } from 'node:crypto';

/** Where a stream comes from: the answer to one request, or the session's own stream. */
export type StreamKind = 'answer' | 'session';

/** An event of a stream, as its `id` says. Numbers count from 0. */
export interface EventId {
  readonly kind: StreamKind;
  readonly stream: string;
  readonly number: number;
}

const LETTERS = { answer: 'a', session: 's' } as const;
const KINDS: Readonly<Record<string, StreamKind>> = { a: 'answer', s: 'session' };
const TEXT = /^([as][A-Za-z0-9_-]{16})\.(0|[1-9][0-9]{0,8})$/;

/** The name of a stream that begins. */
export function newStream(kind: StreamKind): string {
  return `${LETTERS[kind]}${randomBytes(12).toString('base64url')}`;
}

/** The `id` of an event. */
export function eventIdText(stream: string, number: number): string {
  return `${stream}.${number}`;
}

/** What a `Last-Event-ID` names; undefined where it is none of ours. */
export function readEventId(text: string): EventId | undefined {
  const [, stream, number] = TEXT.exec(text) ?? [];
  const kind = KINDS[stream?.charAt(0) ?? ''];
  return stream === undefined || kind === undefined ? undefined : { kind, stream, number: Number(number) };
}
