import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { metricsText } from '#libs/telemetry';
import type { Leaving } from './leaving.js';
import { mayReadMetrics } from './metrics-access.js';
import { sendJson } from './respond.js';
import type { Service } from './service.js';

const DRAIN_MS = 10_000;
const SWEEP_MS = 50;

/** Answers the paths that every service has; false where the request is the service's own. */
export async function answerOperational(
  services: readonly Service[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (request.method !== 'GET') return false;
  switch (request.url) {
    case '/healthz':
      sendJson(response, 200, { status: 'ok' });
      return true;
    case '/readyz': {
      const states = await Promise.all(
        services.map(async (service) => [service.name, await service.readiness()] as const),
      );
      sendJson(response, states.every(([, state]) => state.ok) ? 200 : 503, Object.fromEntries(states));
      return true;
    }
    case '/metrics':
      if (!mayReadMetrics(request)) return false;
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(await metricsText());
      return true;
    default:
      return false;
  }
}

/** An HTTP server for one service with its operational paths, and bounds against slow and oversized requests. */
export function serverFor(service: Service, leaving?: Leaving): Server {
  return createServer(
    { headersTimeout: 15_000, requestTimeout: 60_000, maxHeaderSize: 32 * 1024, keepAliveTimeout: 65_000 },
    (request, response) => {
      if (leaving?.answers(request, response) === true) return;
      answerOperational([service], request, response).then(
        (answered) => {
          if (!answered) service.listener(request, response);
        },
        () => response.destroy(),
      );
    },
  );
}

/** Stops accepting, lets requests finish within the drain time, then closes what is left. */
export async function closeServer(server: Server, drainMs = DRAIN_MS): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A kept connection is idle again after each answer, and its client may never close it.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
}
