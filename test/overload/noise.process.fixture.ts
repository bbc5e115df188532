import { WireConnection } from '../bench/load/wire.ts';

/**
 * A process that calls one URL so many times a second, or with as many at once as it is told and no pause between, and
 * says how the calls ended when its input closes. Of its own, so that what it costs is not measured with the others, and as lean
 * as can be, because on a small machine what it takes is missing to them.
 */
interface Noise {
  readonly url: string;
  readonly bearer: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly perSecond?: number;
  readonly atOnce?: number;
}

const CONNECTIONS_MAX = 64;
/** Who was kept waiting by the machine makes up for it, but not all at once: callers elsewhere do not wait for it together. */
const AT_A_TIME = 2;

const ended: Record<string, number> = {};
const noise = JSON.parse(process.argv[2] ?? '{}') as Noise; // written by the test beside it
const url = new URL(noise.url);
const headers = { host: url.host, ...noise.headers, authorization: `Bearer ${noise.bearer}` };
const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
const head = `POST ${url.pathname} HTTP/1.1\r\n${lines.join('')}`;
/** The connection that has rested longest is next, so that none is closed for resting. */
const resting: WireConnection[] = [];
let open = 0;
const over = new AbortController();

async function call(): Promise<void> {
  try {
    const connection = resting.shift() ?? (await connect());
    const answer = await connection.post(head, noise.body);
    const told = /\r\nretry-after:/i.test(answer.head) ? ' with Retry-After' : '';
    count(`${answer.status}${told}`);
    resting.push(connection);
  } catch (error) {
    count(error instanceof Error ? error.message : String(error));
    open -= 1;
  }
}

function connect(): Promise<WireConnection> {
  open += 1;
  return WireConnection.open(Number(url.port));
}

function count(how: string): void {
  ended[how] = (ended[how] ?? 0) + 1;
}

async function withoutPause(): Promise<void> {
  while (!over.signal.aborted) await call();
}

function atPace(perSecond: number): void {
  const began = performance.now();
  let sent = 0;
  const send = (): void => {
    const due = Math.floor(((performance.now() - began) / 1_000) * perSecond) - sent;
    for (let many = 0; many < Math.min(due, AT_A_TIME); many += 1) {
      if (resting.length === 0 && open >= CONNECTIONS_MAX) break;
      sent += 1;
      void call();
    }
    const nextMs = began + ((sent + 1) / perSecond) * 1_000 - performance.now();
    if (!over.signal.aborted) setTimeout(send, Math.max(1, nextMs));
  };
  send();
}

if (noise.perSecond !== undefined) atPace(noise.perSecond);
else for (let many = 0; many < (noise.atOnce ?? 1); many += 1) void withoutPause();

process.stdin.resume().once('end', () => {
  over.abort();
  process.stdout.write(JSON.stringify(ended), () => process.exit(0));
});
