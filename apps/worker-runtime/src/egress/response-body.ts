import { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { UpstreamFailure } from './upstream-failure.js';

const ENCODINGS_MAX = 2;

/** What egress asks upstreams for and can read. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

/**
 * A response's body, decoded. What it unpacks to is bounded while it unpacks, so that a small body that unpacks to a
 * large one is never held.
 *
 * @throws UpstreamFailure too_large, invalid_response
 */
export async function decodedBody(body: Buffer, encoding: string, bytesMax: number): Promise<Buffer> {
  const decoders = decodersFor(encoding);
  if (decoders.length === 0) return body;
  const last = decoders.reduce<Readable>(
    (stream, decoder) => {
      stream.once('error', (error) => decoder.destroy(error));
      return stream.pipe(decoder);
    },
    Readable.from([body]),
  );
  try {
    return await collect(last, bytesMax);
  } finally {
    for (const decoder of decoders) decoder.destroy();
  }
}

function decodersFor(encoding: string) {
  const names = encoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > ENCODINGS_MAX)
    throw new UpstreamFailure('invalid_response', 'its body is compressed too many times');
  return names.reverse().map((name) => {
    switch (name) {
      case 'gzip':
      case 'x-gzip':
        return createGunzip();
      case 'deflate':
        return createInflate();
      case 'br':
        return createBrotliDecompress();
      default:
        throw new UpstreamFailure('invalid_response', 'its body is compressed in a way that was not asked for');
    }
  });
}

async function collect(stream: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    // no encoding is set, so chunks are buffers
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function tooLarge(bytesMax: number): UpstreamFailure {
  return new UpstreamFailure('too_large', `the limit is ${bytesMax} bytes`);
}
