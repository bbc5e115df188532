import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';

const LOOK_EVERY_MS = 500;
/** A machine that is busy answers late, and whoever does is not gone. */
const LOOK_MS = 3_000;
const FAILURES = 2;
const GATEWAY = /^\/(?:t\/|\.well-known\/oauth-protected-resource)/;
const AUTH = /^\/(?:auth(?:\/|$)|v1\/me\/grants|authorize|token|register|\.well-known\/)/;

/** Where the balancer finds the replicas of what is reached from outside: ports of this machine. */
export interface Backends {
  readonly gateway: readonly number[];
  readonly auth: readonly number[];
  readonly control: readonly number[];
}

/**
 * The public door, as a balancer of a cluster is: each request goes to the next replica of its service that answers
 * `/readyz`, looked at twice a second; one is left out after two failures, or when it breaks a connection, until it answers
 * again. Where none answers, all are tried.
 */
export async function startBalancer(port: number, backends: Backends) {
  const failures = new Map<number, number>();
  const look = (at: number): void => {
    const asked = httpRequest({ host: '127.0.0.1', port: at, path: '/readyz', agent: false, timeout: LOOK_MS });
    const note = (failed: boolean): void => void failures.set(at, failed ? (failures.get(at) ?? 0) + 1 : 0);
    asked
      .on('response', (answer) => {
        note(answer.statusCode !== 200);
        answer.resume();
      })
      .on('timeout', () => asked.destroy(new Error('late')))
      .on('error', () => note(true))
      .end();
  };
  const all = [...backends.gateway, ...backends.auth, ...backends.control];
  const timer = setInterval(() => all.forEach(look), LOOK_EVERY_MS);
  let turn = 0;
  const server = createServer((incoming, answer) => {
    const url = incoming.url ?? '/';
    const replicas = GATEWAY.test(url) ? backends.gateway : AUTH.test(url) ? backends.auth : backends.control;
    const healthy = replicas.filter((at) => (failures.get(at) ?? 0) < FAILURES);
    const choice = healthy.length > 0 ? healthy : replicas;
    turn += 1;
    const at = choice[turn % choice.length] ?? 0;
    pass(incoming, answer, at, () => void failures.set(at, FAILURES));
  });
  // A client's connection that is kept must not be closed at the moment it is used again.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    close: () =>
      new Promise<void>((resolve) => {
        clearInterval(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pass(incoming: IncomingMessage, answer: ServerResponse, port: number, onGone: () => void): void {
  const onward = httpRequest(
    // A connection of its own: one that is kept may be closed by the other side at the moment it is used again.
    { host: '127.0.0.1', port, path: incoming.url, method: incoming.method, headers: incoming.headers, agent: false },
    (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
      response.on('error', () => answer.destroy());
    },
  );
  onward.on('error', () => {
    if (!answer.destroyed) onGone();
    answer.destroy();
  });
  answer.on('close', () => onward.destroy());
  incoming.pipe(onward);
}
