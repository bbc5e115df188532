import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';

const run = promisify(execFile);
const CHROMIUM = '/usr/bin/chromium';
const INSTALL_MS = 300_000;

/** Installs the distribution's Chromium where there is none. */
async function provideChromium(): Promise<void> {
  if (existsSync(CHROMIUM)) return;
  if (process.getuid?.() !== 0) throw new Error('The browser tests need Chromium: apt-get install chromium');
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['-qq', 'update'], { timeout: INSTALL_MS, env: environment });
  const packages = ['install', '-qq', '-y', '--no-install-recommends', 'chromium'];
  await run('apt-get', packages, { timeout: INSTALL_MS, env: environment, maxBuffer: 64 * 1024 * 1024 });
}

/** A real browser without a window. */
export async function openBrowser(): Promise<Browser> {
  await provideChromium();
  // Most tests open no browser, and every one of them would read all of this.
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-dev-shm-usage'],
  });
}
