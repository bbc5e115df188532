import { performance } from 'node:perf_hooks';
import { WireConnection } from '../load/wire.js';
import { messageOf, protocolLines, requireAnswer } from '../load/work.js';
import { workersKb } from '../measure/processes.js';
import { percentile } from '../measure/statistics.js';
import type { Launched } from '../platform/launcher.js';
import type { BenchTenant } from '../platform/tenants.js';
import { ms, type Report } from '../report/report.js';

/** Time for the pool of warm workers to fill again, as it does between tenants that come one at a time. */
const REFILL_MS = 1_500;

/** The first call of tenants that have no worker yet, and what a worker holds after it. */
export async function measureCold(report: Report, wharf: Launched, tenants: readonly BenchTenant[]): Promise<void> {
  const figures: number[] = [];
  for (const tenant of tenants) {
    figures.push(await callOnce(tenant));
    await new Promise((resolve) => setTimeout(resolve, REFILL_MS));
  }
  const found = `${ms(percentile(figures, 0.5))} p50, ${ms(Math.max(...figures))} max`;
  report.figure('first tools/call of a cold tenant', found, 'p50 ≤ 60 ms');
  const held = workersKb(wharf.pid).map((kb) => kb / 1_024);
  report.figure(
    'memory of a worker (PSS)',
    `${percentile(held, 0.5).toFixed(1)} MB p50 of ${held.length}, ${Math.max(...held).toFixed(1)} MB max`,
    '≤ 30 MB',
  );
}

async function callOnce({ echoUrl, apiKey }: BenchTenant): Promise<number> {
  const url = new URL(echoUrl);
  const connection = await WireConnection.open(Number(url.port));
  const head =
    `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
    `accept: application/json, text/event-stream\r\nauthorization: Bearer ${apiKey}\r\n${protocolLines('2026', 'echo', undefined)}`;
  const started = performance.now();
  const answer = await connection.post(head, messageOf('2026', 'echo', 1));
  const took = performance.now() - started;
  connection.close();
  requireAnswer('2026', 'echo', 1, answer.body.toString('utf8'));
  return took;
}
