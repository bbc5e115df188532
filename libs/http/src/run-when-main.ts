import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pathToFileURL } from 'node:url';
import { processEnvironment, type Environment } from '#libs/config';
import { metricsText } from '#libs/telemetry';
import { collectAlone } from './collect-alone.js';
import { Leaving } from './leaving.js';
import { mayReadMetrics } from './metrics-access.js';
import { sendJson } from './respond.js';
import type { Service } from './service.js';

const DRAIN_MS = 10_000;
const SWEEP_MS = 50;
/** How long a start may go on that is told to stop. */
const START_MS = 10_000;

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

/**
 * Resolves when the process is told to stop. From the call on, being told ends nothing by itself: a service that is
 * starting has its work in hand already, and ends in order once it has started.
 */
function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    // Whoever started us with a channel is gone when the channel closes.
    for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(event, () => resolve());
  });
}

/**
 * Runs a service alone when its file is the process's entry: listens on `WHARF_PORT`, stops in order on SIGTERM and
 * SIGINT, `WHARF_LEAVE_MS` after it has said that it is not ready any more. Where the file is imported, nothing happens.
 */
export async function runWhenMain(
  meta: ImportMeta,
  start: (environment: Environment) => Promise<Service>,
): Promise<void> {
  if (process.argv[1] === undefined || meta.url !== pathToFileURL(process.argv[1]).href) return;
  try {
    collectAlone();
    const environment = processEnvironment();
    const leaving = Leaving.of(environment);
    const told = toldToStop();
    let started = false;
    void told.then(() => setTimeout(() => started || process.exit(1), START_MS).unref());
    const service = await start(environment);
    started = true;
    const server = serverFor(service, leaving);
    const port = Number(environment['WHARF_PORT'] ?? 0);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, environment['WHARF_LISTEN_HOST'] ?? '127.0.0.1', resolve);
    });
    await told;
    service.leave?.();
    await leaving.begin();
    await Promise.all([closeServer(server), service.drain?.()]);
    await service.stop();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
