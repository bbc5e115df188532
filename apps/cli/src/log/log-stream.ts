import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { queryOf } from '#libs/journey';
import { CliProblem } from '../problem.js';
import type { Session } from '../session/session.js';
import { isUnanswered, whyUnanswered } from '../session/unanswered.js';
import { recordSchema } from './log-records.js';

const lineSchema = z.object({ leaf_index: z.number(), record: recordSchema });

/** A record with its number in the log. */
export type LogLine = z.infer<typeof lineSchema>;

/** What narrows the log, and where it is read from. */
export type LogQuery = Readonly<Record<string, string | number | undefined>>;

const HOUR_MS = 3_600_000;
const FIRST_PAUSE_MS = 1_000;
const PAUSE_MAX_MS = 30_000;
/** With the pauses before them about a quarter of an hour: longer than any restart or move. */
const TRIES_MAX = 32;

/** How a stream that goes on is told to whoever reads it. */
export interface Follower {
  readonly onLine: (line: LogLine) => void;
  /** It broke off, and is tried again. */
  readonly onPause: (why: string, seconds: number) => void;
}

/**
 * Goes on as records come, for ever: the server ends each stream after an hour, and may restart at any time. Each
 * record is told once, for what comes next is asked for by number.
 *
 * @throws CliProblem where the log is refused, or nothing answered for a quarter of an hour
 */
export async function followLog(
  session: Session,
  query: LogQuery & { readonly from_leaf?: number | undefined },
  { onLine, onPause }: Follower,
): Promise<never> {
  let next = query.from_leaf;
  for (let failed = 0; ;) {
    let why = 'the stream ended';
    try {
      for await (const line of streamOf(session, { ...query, follow: 'true', from_leaf: next })) {
        onLine(line);
        next = line.leaf_index + 1;
        failed = 0;
      }
    } catch (error) {
      if (!(error instanceof BrokenOff)) throw error;
      failed += 1;
      if (failed > TRIES_MAX) throw new CliProblem(`The log broke off: ${error.message}.`, 'Run the command again.');
      why = error.message;
    }
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(failed - 1, 0), PAUSE_MAX_MS);
    if (failed > 0) onPause(why, Math.ceil(pauseMs / 1_000));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A stream that may be there again in a moment. */
class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

/** The lines of an export, as they come. @throws BrokenOff, CliProblem where it is refused */
async function* streamOf(session: Session, query: LogQuery): AsyncGenerator<LogLine> {
  try {
    const answer = await fetch(`${session.profile.url}/v1/audit/export${queryOf(query)}`, {
      headers: { authorization: `Bearer ${await session.managementBearer()}` },
      redirect: 'error',
      signal: AbortSignal.timeout(HOUR_MS + 60_000),
    });
    const { ok, status, body } = answer;
    if (status === 429 || status >= 500) throw new BrokenOff(`it is answered ${status} for the moment`);
    if (!ok || body === null)
      throw new CliProblem(`The log was refused with ${status}.`, 'May you read the audit log?');
    // Web and Node streams of bytes are the same to Readable; their types are not.
    for await (const line of createInterface({ input: Readable.fromWeb(body as never) })) {
      if (line !== '') yield lineSchema.parse(whole(line));
    }
  } catch (error) {
    if (error instanceof Error && isUnanswered(error)) throw new BrokenOff(whyUnanswered(error), { cause: error });
    throw error;
  }
}

/** What a line says; where the stream was cut within it, it comes again. */
function whole(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new BrokenOff('the connection was cut', { cause });
  }
}
