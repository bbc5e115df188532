import { familyCpuMs } from '../bench/measure/processes.js';
import { median } from '../bench/measure/statistics.js';
import { startListening } from '../bench/servers/program.js';
import { callMany } from './load.js';

/** As many as six tenants make at once. */
const LOOPS = 6;
const WARM_CALLS = 12_000;
const ROUNDS = 5;
const CALLS = 2_400;

/** CPU of a bare SDK server for a call with an upstream, in µs: what else a call costs on this machine is told by it. */
export async function bareCallUs(): Promise<number> {
  const upstream = await startListening('upstream');
  try {
    const bare = await startListening('bare', String(upstream.port));
    try {
      const tool = { url: `http://127.0.0.1:${bare.port}/upstream`, name: 'echo' };
      const calls = (count: number): Promise<unknown> =>
        Promise.all(Array.from({ length: LOOPS }, () => callMany(tool, count / LOOPS)));
      await calls(WARM_CALLS);
      const spent: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const before = familyCpuMs(bare.pid);
        await calls(CALLS);
        spent.push(familyCpuMs(bare.pid) - before);
      }
      return (median(spent) * 1_000) / CALLS;
    } finally {
      bare.stop();
    }
  } finally {
    upstream.stop();
  }
}
