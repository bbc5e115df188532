import { performance } from 'node:perf_hooks';
import { percentile } from '../measure/statistics.js';
import type { LoadJob, LoadResult } from './drive.js';
import { WireConnection, type WireAnswer } from './wire.js';
import { GREETING, messageOf, protocolLines, requireAnswer, type Work } from './work.js';

/** One client: a connection and, in the 2025 era, a session of its own. */
class Lane {
  #next = 1;

  private constructor(
    private readonly connection: WireConnection,
    private readonly job: LoadJob,
    private readonly head: string,
  ) {}

  static async open(job: LoadJob): Promise<Lane> {
    const url = new URL(job.url);
    const connection = await WireConnection.open(Number(url.port));
    const lines =
      `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
      `accept: application/json, text/event-stream\r\n${job.bearer === undefined ? '' : `authorization: Bearer ${job.bearer}\r\n`}`;
    const sessionId = job.era === '2025' ? await greet(connection, lines) : undefined;
    return new Lane(connection, job, `${lines}${protocolLines(job.era, job.work, sessionId)}`);
  }

  /** One call, its answer checked; returns how long it took, in ms. */
  async call(): Promise<number> {
    const id = this.#next;
    this.#next += 1;
    const message = messageOf(this.job.era, this.job.work, id);
    const started = performance.now();
    const answer = await this.connection.post(this.head, message);
    const ms = performance.now() - started;
    if (answer.status !== 200) throw refused(this.job.work, answer);
    requireAnswer(this.job.era, this.job.work, id, answer.body.toString('utf8'));
    return ms;
  }

  close(): void {
    this.connection.close();
  }
}

async function greet(connection: WireConnection, lines: string): Promise<string> {
  const answer = await connection.post(lines, GREETING.initialize);
  const sessionId = /\r\nmcp-session-id: (\S+)/i.exec(answer.head)?.[1];
  if (answer.status !== 200 || sessionId === undefined) throw refused('initialize', answer);
  const accepted = await connection.post(`${lines}${protocolLines('2025', 'hello', sessionId)}`, GREETING.initialized);
  if (accepted.status !== 202) throw refused('initialized', accepted);
  return sessionId;
}

function refused(what: Work | string, answer: WireAnswer): Error {
  return new Error(`${what} was answered ${answer.status}: ${answer.body.toString('utf8').slice(0, 400)}`);
}

/** The program of the load generator: lanes are opened and warmed, then it waits for `go` and measures. */
export function generateLoad(): void {
  let lanes: Lane[] = [];
  let job: LoadJob | undefined;
  const prepare = async (given: LoadJob): Promise<void> => {
    job = given;
    lanes = await Promise.all(Array.from({ length: given.inFlight }, () => Lane.open(given)));
    await Promise.all(lanes.map((lane) => repeat(lane, (calls) => calls < given.warmCalls / given.inFlight)));
    process.send?.('ready');
  };
  const measure = async ({ measureMs, inFlight }: LoadJob): Promise<void> => {
    const started = performance.now();
    const until = started + measureMs;
    const figures = (await Promise.all(lanes.map((lane) => repeat(lane, () => performance.now() < until)))).flat();
    const seconds = (performance.now() - started) / 1_000;
    for (const lane of lanes) lane.close();
    process.send?.({
      calls: figures.length,
      callsPerSecond: figures.length / seconds,
      p50: percentile(figures, 0.5),
      p95: percentile(figures, 0.95),
      p99: percentile(figures, 0.99),
      inFlight,
    } satisfies LoadResult);
  };
  process.on('message', (told: LoadJob | 'go') => {
    if (told === 'go') {
      if (job !== undefined) void measure(job);
    } else void prepare(told);
  });
}

async function repeat(lane: Lane, more: (calls: number) => boolean): Promise<number[]> {
  const figures: number[] = [];
  while (more(figures.length)) figures.push(await lane.call());
  return figures;
}
