import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { encodeFrame, FrameDecoder, FrameError, PAYLOAD_BYTES_MAX } from './frames.js';
import { FrameWriter } from './frame-writer.js';

const payloads = [0, 1, 7, 4_096, 4_097, 70_000, 200_000].map((bytes) => Buffer.alloc(bytes, `${bytes} ä `));
const stream = Buffer.concat(payloads.map((payload, s) => encodeFrame({ t: 'part', s, note: 'ä€😀' }, payload)));

function decode(bytes: Buffer, chunkBytes: number) {
  const decoder = new FrameDecoder<{ t: string; s: number; note: string }>();
  const frames = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    frames.push(...decoder.push(Buffer.from(bytes.subarray(at, at + chunkBytes))));
  }
  return frames;
}

describe('frames', () => {
  test.each([1, 3, 8, 61, 4_096, 65_536, stream.length])(
    'are the same however they are cut: %d bytes',
    (chunkBytes) => {
      const frames = decode(stream, chunkBytes);
      expect(frames.map(({ header }) => header)).toEqual(payloads.map((_, s) => ({ t: 'part', s, note: 'ä€😀' })));
      expect(frames.every(({ payload }, index) => payload.equals(payloads[index] ?? Buffer.alloc(0)))).toBe(true);
    },
  );

  test('leave a writer in the order they were sent, small and large, and before its stream ends', async () => {
    const pipe = new PassThrough();
    const writer = new FrameWriter(pipe as Duplex);
    const chunks: Buffer[] = [];
    pipe.on('data', (chunk: Buffer) => chunks.push(chunk));
    payloads.forEach((payload, s) => writer.send({ t: 'part', s, note: 'ä€😀' }, payload));
    pipe.end();
    await once(pipe, 'end');
    expect(Buffer.concat(chunks).equals(stream)).toBe(true);
    expect(writer.send({ t: 'late' })).toBe(false);
  });

  test('that are too large are refused by both sides', () => {
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32BE(PAYLOAD_BYTES_MAX + 1, 4);
    expect(() => new FrameDecoder().push(prefix)).toThrow(FrameError);
    const writer = new FrameWriter(new PassThrough() as Duplex);
    expect(() => writer.send({ t: 'part' }, new Uint8Array(PAYLOAD_BYTES_MAX + 1))).toThrow(FrameError);
  });
});
