import type { Agent, Dispatcher } from 'undici';
import { AnswerReader, type ArrivedAnswer } from './answer-reader.js';
import { keptHeaders } from './kept-headers.js';
import { decodedBody } from './response-body.js';
import type { StreamSink } from './streams/stream-sink.js';
import { upstreamFailureOf } from './upstream-failure.js';

/** One request as it leaves. */
export interface HopRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly stream?: StreamSink | undefined;
  /** Told of bytes of bodies as they go and come. */
  readonly moved?: ((bytes: number) => void) | undefined;
}

/** An upstream's answer: decoded body, headers that mean something to the one who asked. */
export interface HopAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Settles when a streamed answer has ended, and how. */
  readonly rest?: Promise<void>;
}

/** Sends one request and reads its whole answer; follows nothing. @throws UpstreamFailure */
export async function sendOnce(
  agent: Agent,
  request: HopRequest,
  bytesMax: number,
  signal: AbortSignal,
): Promise<HopAnswer> {
  try {
    const { status, headers, body, rest } = await exchange(agent, request, bytesMax, signal);
    if (rest !== undefined) return { status, headers: keptHeaders(headers), body, rest };
    const encoding = headers['content-encoding'];
    const plain = encoding === undefined || request.method === 'HEAD';
    return { status, headers: keptHeaders(headers), body: plain ? body : await decodedBody(body, encoding, bytesMax) };
  } catch (error) {
    throw upstreamFailureOf(error, signal);
  }
}

function exchange(
  agent: Agent,
  { origin, path, method, headers, body, stream, moved }: HopRequest,
  bytesMax: number,
  signal: AbortSignal,
): Promise<ArrivedAnswer> {
  return new Promise((resolve, reject) => {
    agent.dispatch(
      {
        origin,
        path,
        method: method as Dispatcher.HttpMethod, // checked against the methods egress serves
        headers,
        body: body ?? null,
        headersTimeout: 0, // the signal is the deadline of the whole exchange
        bodyTimeout: 0,
      },
      new AnswerReader({ method, sentBytes: body?.length ?? 0, bytesMax, signal, stream, moved }, resolve, reject),
    );
  });
}
