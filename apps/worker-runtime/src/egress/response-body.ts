import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { UpstreamFailure } from './upstream-failure.js';

const ENCODINGS_MAX = 2;

/** What egress asks upstreams for and can read. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

/**
 * A response's whole body, decoded. Both what arrives and what it unpacks to are bounded, so that neither a large
 * body nor a small one that unpacks to a large one is ever held.
 *
 * @throws UpstreamFailure too_large, invalid_response
 */
export async function readResponseBody(
  body: Readable,
  encoding: string | undefined,
  bytesMax: number,
): Promise<Buffer> {
  const decoders = decodersFor(encoding);
  const last = decoders.reduce<Readable>((stream, decoder) => {
    stream.once('error', (error) => decoder.destroy(error));
    return stream.pipe(decoder);
  }, body);
  let arrived = 0;
  if (decoders.length > 0) {
    body.on('data', (chunk: Buffer) => {
      arrived += chunk.length;
      if (arrived > bytesMax) body.destroy(tooLarge(bytesMax));
    });
  }
  try {
    return await collect(last, bytesMax);
  } finally {
    for (const decoder of decoders) decoder.destroy();
    body.destroy();
  }
}

function decodersFor(encoding: string | undefined) {
  const names = (encoding ?? '')
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
