import { spawn } from 'node:child_process';
import path from 'node:path';

const PROGRAM = path.resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js');
const RUN_MS = 300_000;

/** How one run of the suite's program ended. */
export interface SuiteRun {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the suite's program; `onOutput` hears what it prints as it comes. */
export async function runSuite(
  args: readonly string[],
  onOutput: (text: string) => void = () => undefined,
): Promise<SuiteRun> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: RUN_MS });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      onOutput(output);
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
