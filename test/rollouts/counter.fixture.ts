import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const SLOW_MS = 400;
const BAD_EVERY = 5;

/**
 * The upstream of every release, `/{release}/echo?id={call}`: it writes down which release asked for which call. The
 * release `bad` fails at every fifth call, `slow` takes its time.
 */
export async function startCounter() {
  const seen = new Map<string, string[]>();
  let bad = 0;
  let isDown = false;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://upstream');
    const release = url.pathname.split('/')[1] ?? '';
    const id = url.searchParams.get('id') ?? '';
    // A failure of the upstream itself, which breakers count: for the release `breaking`, or for all of them.
    if (release === 'breaking' || isDown) return void response.writeHead(500).end();
    seen.set(id, [...(seen.get(id) ?? []), release]);
    const fails = release === 'bad' && (bad += 1) % BAD_EVERY === 0;
    const end = (): void =>
      void response
        .writeHead(fails ? 400 : 200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ release, id }));
    if (release === 'slow') setTimeout(end, SLOW_MS);
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
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
