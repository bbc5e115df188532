import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server on the loopback that hands requests on. */
export interface Relay {
  readonly url: string;
  stop(): Promise<void>;
}

/** Hands GET requests on to an origin, which may be reachable from this machine by a way that workers do not have. */
export async function relayTo(origin: string): Promise<Relay> {
  const server = createServer((request, response) => {
    void fetch(`${origin.replace(/\/$/, '')}${request.url ?? ''}`, {
      headers: { accept: request.headers.accept ?? '*/*' },
    })
      .then(async (answer) => {
        const body = Buffer.from(await answer.arrayBuffer());
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(body);
      })
      .catch(() => response.writeHead(502).end());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a TCP server's address
    stop: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
}
