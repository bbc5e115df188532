import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that an upstream received. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A real HTTP server that stands for somebody's API, and what it was asked. */
export interface Upstream {
  readonly origin: string;
  readonly port: number;
  readonly seen: Seen[];
  /** Resolves when a URL that starts like this has been asked for so many times. */
  untilSeen(url: string, times?: number): Promise<void>;
  /** Hears the next request whose client leaves before it is answered. */
  onceClosed(heard: () => void): void;
  close(): Promise<void>;
}

/** Starts an upstream on loopback. */
export async function startUpstream(listener: RequestListener): Promise<Upstream> {
  const seen: Seen[] = [];
  const events = new EventEmitter().setMaxListeners(0);
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      response.once('close', () => {
        if (!response.writableFinished) events.emit('left');
      });
      events.emit('seen');
      listener(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    seen,
    untilSeen: async (url, times = 1) => {
      while (seen.filter((request) => request.url.startsWith(url)).length < times) await once(events, 'seen');
    },
    onceClosed: (heard) => events.once('left', heard),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
