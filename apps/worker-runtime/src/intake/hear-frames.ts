import type { Socket } from 'node:net';
import { FrameDecoder, type CallerFrame } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';

/** Hears a caller's frames in order; what is no frame of ours ends its connection. */
export function hearFrames(
  socket: Socket,
  logger: Logger,
  receive: (frame: CallerFrame, payload: Buffer) => void,
): void {
  const decoder = new FrameDecoder<CallerFrame>();
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const { header, payload } of decoder.push(chunk)) receive(header, payload);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn({ error: reason }, 'caller connection closed: it sent what is no frame of ours');
      socket.destroy();
    }
  });
}
