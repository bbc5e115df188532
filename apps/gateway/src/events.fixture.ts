import { get, request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';

/** One event of a stream. */
export interface ReceivedEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** A stream that is being read. */
export interface OpenStream {
  readonly response: IncomingMessage;
  /** The next event that is not a comment; undefined when the stream has ended. */
  next(): Promise<ReceivedEvent | undefined>;
  /** The next comment. */
  comment(): Promise<string>;
  close(): void;
}

/** Opens a stream: a POST where there is a body, else a GET. */
export async function openStream(url: string, headers: Record<string, string>, body?: string): Promise<OpenStream> {
  const options = { headers, agent: false };
  const request = body === undefined ? get(url, options) : httpRequest(url, { ...options, method: 'POST' }).end(body);
  request.on('error', () => undefined); // ours: `close` ends it
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  const blocks = blocksOf(response);
  const take = async (comments: boolean): Promise<string | undefined> => {
    for (;;) {
      const { value, done } = await blocks.next();
      if (done === true) return undefined;
      if (value.startsWith(':') === comments) return value;
    }
  };
  return {
    response,
    next: async () => {
      const block = await take(false);
      return block === undefined ? undefined : readEvent(block);
    },
    comment: async () => (await take(true)) ?? '',
    close: () => request.destroy(),
  };
}

async function* blocksOf(response: IncomingMessage): AsyncGenerator<string, undefined> {
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
  return undefined;
}

function readEvent(block: string): ReceivedEvent {
  const field = (name: string): string | undefined =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  return { id: field('id'), event: field('event'), data: field('data') ?? '' };
}
