import { spawn } from 'node:child_process';
import path from 'node:path';

const PROGRAM = path.resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js');
const RUN_MS = 300_000;

/** How one run of the suite's program ended. */
export interface SuiteRun {
  readonly code: number | null;
  readonly output: string;
}

/** What a run is given beside its arguments. */
export interface SuiteOptions {
  /** Hears what it has printed so far. */
  readonly onOutput?: (text: string) => void;
  /** Added to its environment, and to that of the client that it starts. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the suite's program. */
export async function runSuite(
  args: readonly string[],
  { onOutput, environment }: SuiteOptions = {},
): Promise<SuiteRun> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS,
    env: { ...process.env, ...environment },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      onOutput?.(output);
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
