import { familyCpuMs } from '../measure/processes.js';
import { ask, startProgram, type Program } from '../servers/program.js';
import type { Era, Work } from './work.js';

/** What a load generator is to do. */
export interface LoadJob {
  readonly url: string;
  /** API key or access token. */
  readonly bearer?: string;
  readonly era: Era;
  readonly work: Work;
  readonly inFlight: number;
  readonly warmCalls: number;
  readonly measureMs: number;
}

/** What it saw; times in ms. */
export interface LoadResult {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly inFlight: number;
}

/** A load with what it cost the server. */
export interface Measured extends LoadResult {
  /** CPU of all processes of the server for 1,000 calls, in ms. */
  readonly cpuPer1000: number;
}

/** What a server still has to do when its last answer is out (an audit log on its way) belongs to the calls. */
const SETTLE_MS = 300;

/** Loads a server from a process of its own. `serverPid`: the root of the server's processes. */
export async function drive(serverPid: number, job: LoadJob): Promise<Measured> {
  const generator: Program = await startProgram('load');
  try {
    await ask(generator, job);
    await settle();
    const before = familyCpuMs(serverPid);
    const result = (await ask(generator, 'go')) as LoadResult; // our own program
    await settle();
    const cpuMs = familyCpuMs(serverPid) - before;
    return { ...result, cpuPer1000: (cpuMs / result.calls) * 1_000 };
  } finally {
    generator.stop();
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
