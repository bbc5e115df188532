import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';

/**
 * The whole request body, never more than `bytesMax` of it in memory.
 * @throws AppError `too_large`, `request_timeout` when the signal aborts, or `invalid_request` when the client stopped
 *   sending.
 */
export async function readBody(request: IncomingMessage, bytesMax: number, signal?: AbortSignal): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > bytesMax) throw tooLarge(bytesMax);
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise<Buffer>((resolve, reject) => {
    const settle = (end: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      signal?.removeEventListener('abort', onLate);
      end();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= bytesMax) {
        chunks.push(chunk);
        return;
      }
      request.pause();
      settle(() => reject(tooLarge(bytesMax)));
    };
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    const onBroken = (): void =>
      settle(() =>
        reject(new AppError('invalid_request', { message: 'The request body ended before it was complete.' })),
      );
    const onLate = (): void => settle(() => reject(new AppError('request_timeout')));
    request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
    signal?.addEventListener('abort', onLate, { once: true });
  });
}

function tooLarge(bytesMax: number): AppError {
  return new AppError('too_large', {
    message: `The request body is larger than ${bytesMax} bytes. Send less at once.`,
  });
}
