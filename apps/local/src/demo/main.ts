import { readFileSync } from 'node:fs';
import path from 'node:path';
import { processEnvironment } from '#libs/config';
import { runJourney } from '#libs/journey';
import { parseLocalConfig } from '../config.js';
import { startPrivatePlatform } from './private-platform.js';

/** `npm run demo`: the whole journey over public HTTP, against the running platform or a private one of its own. */

interface Target {
  readonly publicUrl: string;
  readonly operatorKey: string;
}

/** The platform that runs with this data folder, if one does. */
async function findRunning(): Promise<Target | undefined> {
  const config = parseLocalConfig(processEnvironment());
  try {
    const answer = await fetch(`${config.publicUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
    if (!answer.ok) return undefined;
    return {
      publicUrl: config.publicUrl,
      operatorKey: readFileSync(path.join(config.dataDir, 'operator.key'), 'utf8').trim(),
    };
  } catch {
    return undefined;
  }
}

let number = 0;
function report(step: string, result: string): void {
  number += 1;
  process.stdout.write(`  ${String(number).padStart(2)}  ✓ ${step}\n        ${result}\n`);
}

await using stack = new AsyncDisposableStack();
try {
  const running = await findRunning();
  if (running === undefined) process.stdout.write('\n  No platform is running here; starting a private one …\n');
  const target = running ?? (await startPrivatePlatform(stack));
  process.stdout.write(`\n  The journey at ${target.publicUrl}\n\n`);
  await runJourney({ ...target, report });
  process.stdout.write(`\n  All ${number} steps came out as promised.\n\n`);
} catch (error) {
  process.stdout.write(`\n   ✗ ${error instanceof Error ? error.message : String(error)}\n\n`);
  process.exitCode = 1;
}
