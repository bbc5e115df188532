import { request, Agent } from 'node:http';

/**
 * A process that calls one URL so many times a second, or with as many at once as it is told and no pause between, and
 * says how the calls ended when its input closes. Of its own, so that what it costs is not measured with the others.
 */
interface Noise {
  readonly url: string;
  readonly bearer: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly perSecond?: number;
  readonly atOnce?: number;
}

const ended: Record<string, number> = {};
const noise = JSON.parse(process.argv[2] ?? '{}') as Noise; // written by the test beside it
const agent = new Agent({ keepAlive: true, maxSockets: noise.atOnce ?? 64 });
const over = new AbortController();

function call(): Promise<void> {
  return new Promise((resolve) => {
    const count = (how: string): void => {
      ended[how] = (ended[how] ?? 0) + 1;
      resolve();
    };
    const headers = { ...noise.headers, authorization: `Bearer ${noise.bearer}` };
    request(noise.url, { method: 'POST', agent, headers }, (response) => {
      const told = response.headers['retry-after'] === undefined ? '' : ' with Retry-After';
      response.resume().once('end', () => count(`${response.statusCode}${told}`));
    })
      .once('error', (error) => count(error.message))
      .end(noise.body);
  });
}

async function withoutPause(): Promise<void> {
  while (!over.signal.aborted) await call();
}

const { perSecond } = noise;
if (perSecond !== undefined) setInterval(() => void call(), 1_000 / perSecond);
else for (let many = 0; many < (noise.atOnce ?? 1); many += 1) void withoutPause();

process.stdin.resume().once('end', () => {
  over.abort();
  process.stdout.write(JSON.stringify(ended), () => process.exit(0));
});
