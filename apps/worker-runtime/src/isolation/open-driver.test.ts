import { expect, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLogger, type Logger } from '#libs/telemetry';
import { openDriver, type DriverChoice } from './open-driver.js';
import { assertThirdPartyCode, mayRunThirdPartyCode } from './third-party-code.js';
import type { WorkerDriver } from './worker-driver.js';

const WITHOUT_BUBBLEWRAP = { program: '/nowhere/bwrap', libraryPath: '' };

function choiceOf(name: DriverChoice['name']): DriverChoice {
  const home = mkdtempSync(path.join(tmpdir(), 'wharf-driver-'));
  return { name, home, bubblewrap: WITHOUT_BUBBLEWRAP, scratchMb: 16 };
}

function listeningLogger(warnings: string[]): Logger {
  const logger = createLogger('test', 'silent');
  logger.warn = ((...parts: unknown[]) => warnings.push(String(parts.at(-1)))) as typeof logger.warn; // all that is called
  return logger;
}

test('falls back to plain processes with one warning that names what is missing', async () => {
  const warnings: string[] = [];
  const driver = await openDriver(choiceOf(undefined), listeningLogger(warnings));
  expect(driver.name).toBe('process');
  expect(warnings).toEqual([
    expect.stringMatching(/workers are plain processes, because bubblewrap was not found; install/),
  ]);
  await driver.close();
});

test('does not fall back when sandboxes were asked for by name', async () => {
  await expect(openDriver(choiceOf('sandbox'), createLogger('test', 'silent'))).rejects.toThrow(
    /WHARF_WORKER_DRIVER is sandbox, but bubblewrap was not found/,
  );
});

test('runs plain processes without a word when they were asked for by name', async () => {
  const warnings: string[] = [];
  const driver = await openDriver(choiceOf('process'), listeningLogger(warnings));
  expect([driver.name, warnings]).toEqual(['process', []]);
  await driver.close();
});

test('refuses the code of others in plain processes, unless an operator says so', () => {
  const driver = (name: WorkerDriver['name']) => ({ name }) as WorkerDriver; // all that is asked of it
  const policy = { allowUnsandboxed: false };
  expect(() => assertThirdPartyCode(driver('process'), policy)).toThrow(/runs no code of others/);
  expect(mayRunThirdPartyCode(driver('process'), { allowUnsandboxed: true })).toBe(true);
  expect(mayRunThirdPartyCode(driver('sandbox'), policy)).toBe(true);
});
