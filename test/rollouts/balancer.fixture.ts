import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Killable } from './processes.fixture.js';

/** The public door: the management API to the control plane, calls to the gateways in turn, to another where one is gone. */
export async function startBalancer(port: number, control: Killable, gateways: readonly Killable[]) {
  let turn = 0;
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const calls = incoming.url?.startsWith('/t/') === true;
      turn += 1;
      const ports = calls
        ? gateways.map((_, index) => gateways[(turn + index) % gateways.length]?.port ?? 0)
        : [control.port];
      pass(incoming, answer, Buffer.concat(chunks), ports);
    });
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pass(incoming: IncomingMessage, answer: ServerResponse, body: Buffer, ports: readonly number[]): void {
  const [port, ...others] = ports;
  const onward = httpRequest(
    // A connection of its own: one that is kept may be closed by the other side at the moment it is used again.
    { host: '127.0.0.1', port, path: incoming.url, method: incoming.method, headers: incoming.headers, agent: false },
    (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
      response.on('error', () => answer.destroy());
    },
  );
  onward.on('error', (error: NodeJS.ErrnoException) => {
    // Nothing was sent where nobody listens: another one may be asked.
    if (error.code === 'ECONNREFUSED' && others.length > 0) pass(incoming, answer, body, others);
    else answer.destroy();
  });
  answer.on('close', () => onward.destroy());
  onward.end(body);
}
