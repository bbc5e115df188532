import { WireConnection } from '../load/wire.js';
import { GREETING, protocolLines } from '../load/work.js';
import { memoryKbByPart } from '../measure/processes.js';
import type { Launched } from '../platform/launcher.js';
import { callKeys, type BenchTenant } from '../platform/tenants.js';
import type { Report } from '../report/report.js';

const SESSIONS = 2_000;
/** One principal may have a hundred sessions. */
const SESSIONS_OF_KEY = 100;
/** Long enough for the collectors of idle processes to have run. */
const SETTLE_MS = 9_000;
const PARTS = ['services', 'runtime', 'worker', 'redis'] as const;

/** What an idle session of the 2025 era holds, by part: 2,000 of them over some tenants, each opened by one client. */
export async function measureSessions(report: Report, wharf: Launched, tenants: readonly BenchTenant[]): Promise<void> {
  const perTenant = SESSIONS / tenants.length;
  const clients = await Promise.all(
    tenants.map(async (tenant) => ({ tenant, keys: await callKeys(wharf, tenant, 2 * (perTenant / SESSIONS_OF_KEY)) })),
  );
  const openAll = async (from: number): Promise<void> => {
    for (const { tenant, keys } of clients) {
      for (const key of keys.slice(from, from + perTenant / SESSIONS_OF_KEY)) {
        await openSessions(tenant, key, SESSIONS_OF_KEY / 2);
        await openSessions(tenant, key, SESSIONS_OF_KEY / 2);
      }
    }
  };
  // The first ones also pay for code, caches and heaps that have grown: what counts is what more of them cost.
  await openAll(0);
  const before = await settledMemory(wharf);
  await openAll(perTenant / SESSIONS_OF_KEY);
  const after = await settledMemory(wharf);
  const perSession = PARTS.map(
    (part) => [part, ((after.get(part) ?? 0) - (before.get(part) ?? 0)) / SESSIONS] as const,
  );
  const ours = perSession.filter(([part]) => part !== 'redis').reduce((sum, [, kb]) => sum + kb, 0);
  const parts = perSession.map(([part, kb]) => `${part} ${kb.toFixed(1)}`).join(', ');
  report.figure(
    `an idle session of 2025, ${SESSIONS} of them`,
    `${ours.toFixed(1)} kB (${parts})`,
    '≤ 20 kB without the worker',
  );
}

async function settledMemory(wharf: Launched): Promise<ReturnType<typeof memoryKbByPart>> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return memoryKbByPart(wharf.pid);
}

async function openSessions({ echoUrl }: BenchTenant, key: string, count: number): Promise<void> {
  const url = new URL(echoUrl);
  const connection = await WireConnection.open(Number(url.port));
  const lines =
    `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
    `accept: application/json, text/event-stream\r\nauthorization: Bearer ${key}\r\n`;
  for (let opened = 0; opened < count; opened += 1) {
    const answer = await connection.post(lines, GREETING.initialize);
    const id = /\r\nmcp-session-id: (\S+)/i.exec(answer.head)?.[1];
    if (id === undefined) throw new Error(`a session was refused: ${answer.body.toString('utf8').slice(0, 400)}`);
    await connection.post(`${lines}${protocolLines('2025', 'hello', id)}`, GREETING.initialized);
  }
  connection.close();
}
