import { HttpException } from '@nestjs/common';
import { isGivenUp } from '#libs/database';
import { AppError } from '#libs/errors';

/** Conditions of PostgreSQL and of the network to it that pass by themselves. */
const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '25P03',
  '3D000',
]);

/** Text that PostgreSQL cannot hold: U+0000, which its types do not know. */
const UNSTORABLE = new Set(['22021', '22P05']);

function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const found = 'driverError' in thrown ? thrown.driverError : thrown;
  if (typeof found !== 'object' || found === null || !('code' in found)) return undefined;
  return typeof found.code === 'string' ? found.code : undefined;
}

function isLostConnection(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  return PASSING.has(codeOf(thrown) ?? '') || /connection (terminated|timeout)|timeout exceeded/i.test(thrown.message);
}

/** What is answered for whatever was thrown: an AppError as it is, the framework's refusals by status, else nothing of it. */
export function publicErrorOf(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof HttpException && thrown.getStatus() === 404) return new AppError('not_found');
  if (thrown instanceof URIError || (thrown instanceof HttpException && thrown.getStatus() === 400)) {
    return new AppError('invalid_request', { message: 'The URL is not valid.', cause: thrown });
  }
  if (UNSTORABLE.has(codeOf(thrown) ?? '')) {
    return new AppError('invalid_request', { message: 'The request has a zero character (U+0000). Remove it.' });
  }
  if (isGivenUp(thrown) || isLostConnection(thrown))
    return new AppError('unavailable', { cause: thrown, retryAfterSeconds: 5 });
  return new AppError('internal', { cause: thrown });
}
