import type { Duplex } from 'node:stream';
import { FrameDecoder, type FromRunnerFrame } from '#libs/protocol';
import { readRunnerFrame } from './runner-frame.js';

/** Bytes that a runner has not taken yet, past which it is not listened to until it has taken them. */
const UNTAKEN_BYTES_MAX = 8 * 1024 * 1024;

/** Who hears a runner's connection. */
export interface FrameListener {
  onFrame(frame: FromRunnerFrame, payload: Buffer): void;
  /** It sent what is no frame of a runner; the connection is of no further use. */
  onFault(error: unknown): void;
}

/**
 * Reads a runner's frames until its connection ends. Most frames are answered, so one that asks without end and reads
 * nothing would have us hold the answers; an honest one always reads.
 */
export function hearFrames(connection: Duplex, listener: FrameListener): void {
  const decoder = new FrameDecoder<unknown>();
  connection.on('data', (chunk: Buffer) => {
    try {
      for (const { header, payload } of decoder.push(chunk)) {
        const frame = readRunnerFrame(header);
        if (frame === undefined) throw new Error('unknown frame');
        listener.onFrame(frame, payload);
      }
    } catch (error) {
      listener.onFault(error);
    }
    if (connection.writableLength <= UNTAKEN_BYTES_MAX) return;
    connection.pause();
    connection.once('drain', () => connection.resume());
  });
  connection.on('error', () => undefined); // its end says it
}
