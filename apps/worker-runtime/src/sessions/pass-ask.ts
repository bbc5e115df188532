import { AppError, toAppError } from '#libs/errors';
import { KEPT_RESULT_BYTES_MAX, type FromRunnerFrame } from '#libs/protocol';
import type { WorkerProcess } from '../isolation/worker-driver.js';
import type { WorkerExchange } from './worker-exchange.js';

const QUESTION_BYTES_MAX = { documents: 2 * 1024 * 1024, results: KEPT_RESULT_BYTES_MAX + 4_096, states: 4_096 };

/**
 * Has the caller of an open exchange answer what its worker asks about documents, kept results and states of calls, and
 * hands the answer to the runner. Only servers of the worker's own route can be asked about.
 */
export async function passAsk(
  process: WorkerProcess,
  exchange: WorkerExchange | undefined,
  { a, serverSlug, about }: Extract<FromRunnerFrame, { t: 'ask' }>,
  question: Buffer,
): Promise<void> {
  try {
    const { envelope, reply } = exchange?.call ?? {};
    const served = envelope?.route.mounts.some((mount) => mount.serverSlug === serverSlug) === true;
    if (!served || reply?.onAsk === undefined || exchange?.countAsk() !== true) throw new AppError('unavailable');
    if (question.length > QUESTION_BYTES_MAX[about ?? 'documents']) throw new AppError('too_large');
    process.send({ t: 'answer', a }, await reply.onAsk(serverSlug, question, about));
  } catch (error) {
    const { code, message, problems } = toAppError(error);
    process.send({ t: 'answer', a, failure: { code, message, problems } });
  }
}
