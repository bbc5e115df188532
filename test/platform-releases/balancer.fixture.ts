import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Running } from './releases-stage.fixture.js';

/** The replicas of each service, of whatever release. */
export interface Replicas {
  readonly auth: readonly Running[];
  readonly control: readonly Running[];
  readonly gateway: readonly Running[];
}

const GATEWAY = /^\/(?:t\/|\.well-known\/oauth-protected-resource)/;
const AUTH = /^\/(?:auth(?:\/|$)|v1\/me\/|authorize|token|register|\.well-known\/)/;

/** The public door: each request goes to the next replica of its service; counts how many each has answered. */
export async function startBalancer(port: number, first: Replicas) {
  let current = first;
  const turns = new Map<readonly Running[], number>();
  const answered = new Map<number, number>();
  const server = createServer((incoming, answer) => {
    const url = incoming.url ?? '/';
    if (url === '/readyz') return answer.end('{}');
    const { auth, control, gateway } = current;
    const replicas = GATEWAY.test(url) ? gateway : AUTH.test(url) ? auth : control;
    const turn = turns.get(replicas) ?? 0;
    turns.set(replicas, turn + 1);
    const at = replicas[turn % replicas.length]?.port ?? 0;
    answered.set(at, (answered.get(at) ?? 0) + 1);
    return pass(incoming, answer, at);
  });
  // A client's connection that is kept must not be closed at the moment it is used again.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    answered,
    /** The switch: every request from now on goes to these. */
    switchTo(replicas: Replicas): void {
      current = replicas;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pass(incoming: IncomingMessage, answer: ServerResponse, port: number): void {
  const onward = httpRequest(
    { host: '127.0.0.1', port, path: incoming.url, method: incoming.method, headers: incoming.headers, agent: false },
    (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
      response.on('error', () => answer.destroy());
    },
  );
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  incoming.pipe(onward);
}
