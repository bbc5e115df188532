import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const SLOW_MS = 400;
const BAD_EVERY = 5;

/** A call that the upstream keeps waiting. */
export interface HeldCall {
  /** Resolves when it has arrived. */
  readonly arrived: Promise<void>;
  letGo(): void;
}

/**
 * The upstream of every release, `/{release}/echo?id={call}`: it writes down which release asked for which call. The
 * release `bad` fails at every fifth call, `slow` takes its time, `turning` fails once it was told to.
 */
export async function startCounter() {
  const seen = new Map<string, string[]>();
  const held = new Map<string, (answer: () => void) => void>();
  const turned = new Set<string>();
  let bad = 0;
  let isDown = false;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://upstream');
    const release = url.pathname.split('/')[1] ?? '';
    const id = url.searchParams.get('id') ?? '';
    // A failure of the upstream itself, which breakers count: for the release `breaking`, or for all of them.
    if (release === 'breaking' || isDown) return void response.writeHead(500).end();
    seen.set(id, [...(seen.get(id) ?? []), release]);
    const turns = release === 'turning' && [...turned].some((calls) => id.startsWith(calls));
    const fails = turns || (release === 'bad' && (bad += 1) % BAD_EVERY === 0);
    const end = (): void =>
      void response
        .writeHead(fails ? 400 : 200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ release, id }));
    const keep = held.get(id);
    if (keep !== undefined) keep(end);
    else if (release === 'slow') setTimeout(end, SLOW_MS);
    else end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Lets it fail for every release, or for none but `breaking`. */
    setDown(down: boolean): void {
      isDown = down;
    },
    /** The releases that a call reached. */
    releasesOf: (id: string): readonly string[] => seen.get(id) ?? [],
    /** From now on the release `turning` fails at every call whose id begins like this. */
    turn: (calls: string): void => void turned.add(calls),
    /** Keeps calls with this id waiting until they are let go. */
    hold(id: string): HeldCall {
      const waiting: Array<() => void> = [];
      const arrived = Promise.withResolvers<void>();
      held.set(id, (answer) => {
        waiting.push(answer);
        arrived.resolve();
      });
      const letGo = (): void => {
        held.delete(id);
        for (const answer of waiting.splice(0)) answer();
      };
      return { arrived: arrived.promise, letGo };
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
