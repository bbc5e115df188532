import type { Duplex } from 'node:stream';
import { FrameDecoder, type FromRunnerFrame } from '#libs/protocol';
import { readRunnerFrame } from './runner-frame.js';

/** Who hears a runner's connection. */
export interface FrameListener {
  onFrame(frame: FromRunnerFrame, payload: Buffer): void;
  /** It sent what is no frame of a runner; the connection is of no further use. */
  onFault(error: unknown): void;
}

/** Reads a runner's frames until its connection ends. */
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
  });
  connection.on('error', () => undefined); // its end says it
}
