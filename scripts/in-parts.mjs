// Runs jest in parts, one after the other, and begins none after so many minutes: for a machine of unknown speed, on which all
// of it may take too long. Which part comes first turns with the commit, so that what was left out of one comes with the next.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PARTS = 6;

/** Prints what came of it, `12 passed, 0 failed` last; returns the exit status. */
export function runInParts(root, minutes, args) {
  const until = performance.now() + minutes * 60_000;
  const first = turn(root);
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-parts-'));
  const counts = { passed: 0, failed: 0 };
  const left = [];
  try {
    for (let at = 0; at < PARTS; at += 1) {
      const part = ((first + at) % PARTS) + 1;
      if (performance.now() > until) left.push(part);
      else
        runPart(
          root,
          [...args, `--shard=${part}/${PARTS}`, '--passWithNoTests'],
          path.join(folder, `${part}.json`),
          counts,
        );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (left.length > 0) {
    process.stdout.write(`LEFT OUT, as ${minutes} minutes were over: parts ${left.join(', ')} of ${PARTS}\n`);
  }
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  return counts.failed === 0 ? 0 : 1;
}

function turn(root) {
  try {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
    return Number.parseInt(commit.slice(0, 6), 16) % PARTS;
  } catch {
    return 0; // no repository
  }
}

/** A part that ends without a result, or a suite that does not load, has failed as one test does. */
function runPart(root, args, file, counts) {
  const { status } = spawnSync(process.execPath, [...args, '--json', `--outputFile=${file}`], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = resultsIn(file);
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  counts.passed += numPassedTests;
  counts.failed += failed === 0 && status !== 0 ? 1 : failed;
}

function resultsIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 1 };
  }
}
