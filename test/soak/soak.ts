import { setTimeout as pause } from 'node:timers/promises';
import { startPlatform, type Copies, type Platform } from '../faults/platform/platform.js';
import { KINDS } from '../faults/platform/replica.js';
import { ONE_OF_EACH } from '../faults/platform/tenants.js';
import { Ledger } from '../faults/traffic/ledger.js';
import { Traffic } from '../faults/traffic/traffic.js';
import { sampleOf, type Sample } from './sample.js';
import { isFlat, trendsOf, type Trend } from './verdict.js';

const COPIES: Copies = { gateway: 2, 'worker-runtime': 1, 'control-plane': 1, 'auth-server': 1, background: 1 };
const SAMPLES = 120;
const EVERY_MS_MIN = 2_000;
/** Clients that never end a session, as most do: another one is begun after so many calls. */
const SESSION_CALLS = 20;
/** Services collect all of their garbage when they are told to, so that what is left is what they hold. */
const COLLECTS = {
  NODE_OPTIONS: `--expose-gc --import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2',()=>gc())`)}`,
};
const SHOWN_MAX = 5;
const COLLECTED_MS = 1_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Calls for so many minutes, prints how each service fared, and returns whether all stayed flat. */
export async function soak(minutes: number): Promise<boolean> {
  const platform = await startPlatform(COPIES, ONE_OF_EACH, COLLECTS);
  try {
    const ledger = new Ledger(platform.tenants.map(({ mark }) => mark));
    const traffic = await Traffic.start(platform, ledger, SESSION_CALLS);
    const samples = await watch(platform, minutes * 60_000);
    await traffic.stop();
    const trends = [...samples].flatMap(([service, own]) => trendsOf(service, own));
    say(tableOf(trends));
    const failures = ledger.calls.filter((call) => call.failed || call.sessionEnded);
    const failed = failures.length;
    const grown = trends.filter((trend) => !isFlat(trend));
    say(`\n${ledger.calls.length} calls in ${minutes} minutes, ${failed} failed, ${ledger.leaks.length} leaked.`);
    for (const { text, failure, ms } of failures.slice(0, SHOWN_MAX))
      say(`  ${text} after ${ms?.toFixed(0)} ms: ${failure}`);
    for (const { service, measure, growth, allowed } of grown) {
      say(`  ${service}: ${measure} rose by ${growth.toFixed(1)}; up to ${allowed.toFixed(1)} is called flat.`);
    }
    const bad = grown.length + Math.min(1, failed) + ledger.leaks.length;
    say(`${trends.length + 2 - Math.min(bad, trends.length + 2)} passed, ${bad} failed`);
    return bad === 0;
  } finally {
    await platform.stop();
  }
}

/** Samples of each service, PostgreSQL and Redis. */
async function watch(platform: Platform, lengthMs: number): Promise<Map<string, Sample[]>> {
  const watched = [
    ...KINDS.flatMap((kind) => platform.replicas[kind].map((one, at) => [`${kind} ${at + 1}`, one] as const)),
    ['PostgreSQL', platform.postgres] as const,
    ['Redis', platform.redis] as const,
  ];
  const samples = new Map(watched.map(([name]) => [name, [] as Sample[]]));
  const startedMs = performance.now();
  const everyMs = Math.max(EVERY_MS_MIN, lengthMs / SAMPLES);
  while (performance.now() - startedMs < lengthMs) {
    for (const kind of KINDS) for (const one of platform.replicas[kind]) one.signal('SIGUSR2');
    await pause(COLLECTED_MS);
    const atSeconds = (performance.now() - startedMs) / 1_000;
    for (const [name, one] of watched) samples.get(name)?.push(sampleOf(one.pid, atSeconds));
    await pause(everyMs - COLLECTED_MS);
  }
  return samples;
}

function tableOf(trends: readonly Trend[]): string {
  const lines = trends.map((trend) => {
    const { service, measure, first, last, growth, allowed } = trend;
    const numbers = [first, last, growth, allowed].map((value) => value.toFixed(1));
    return `| ${service} | ${measure} | ${numbers.join(' | ')} | ${isFlat(trend) ? 'flat' : 'GROWS'} |`;
  });
  return [
    '| service | measure | warm | end | growth | allowed | verdict |',
    '| --- | --- | ---: | ---: | ---: | ---: | --- |',
    ...lines,
  ].join('\n');
}
