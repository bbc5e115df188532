import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** A loopback proxy that adds a credential, because the suite has no option for one. Everything else passes untouched. */
export interface BearerProxy {
  readonly url: string;
  close(): Promise<void>;
}

function forward(target: URL, bearer: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  // Host and Origin stay the client's where they are the proxy's own name: the suite forges them on purpose.
  const host = incoming.headers.host ?? '';
  const own = host === `localhost:${incoming.socket.localPort}` || host === `127.0.0.1:${incoming.socket.localPort}`;
  const upstream = request(
    {
      host: target.hostname,
      port: target.port,
      path: incoming.url,
      method: incoming.method,
      headers: { ...incoming.headers, host: own ? target.host : host, authorization: `Bearer ${bearer}` },
    },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    },
  );
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

/** Starts the proxy in front of an origin. */
export async function startBearerProxy(target: URL, bearer: string): Promise<BearerProxy> {
  const server: Server = createServer((incoming, outgoing) => forward(target, bearer, incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    url: `http://localhost:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
