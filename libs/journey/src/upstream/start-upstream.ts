import { createServer, type Server } from 'node:http';
import type { RequestHandler } from 'express';
import { bookshopData } from './bookshop.js';
import { bookshopOpenApi } from './bookshop-openapi.js';

/** The sample upstream while it runs. */
export interface Upstream {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Its OpenAPI 3.1 document. */
  readonly openapi: Record<string, unknown>;
  stop(): Promise<void>;
}

/** How the shop behaves. */
export interface UpstreamOptions {
  /** With it, writing needs `Authorization: Bearer {writeKey}`. */
  readonly writeKey?: string;
}

/** Starts a small bookshop API on loopback: the npm package json-server 0.17 over data of its own, in this process. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  // Loaded only here: it is a development dependency, and production never starts a sample.
  const { default: jsonServer } = await import('json-server');
  const shop = jsonServer.create();
  shop.use(...jsonServer.defaults({ logger: false }), keyRequired(options.writeKey), jsonServer.router(bookshopData()));
  const server = createServer(shop);
  const port = await listen(server);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    host: '127.0.0.1',
    port,
    openapi: bookshopOpenApi(url),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function keyRequired(writeKey: string | undefined): RequestHandler {
  return (request, response, next) => {
    const reading = request.method === 'GET' || request.method === 'HEAD';
    if (reading || writeKey === undefined || request.headers.authorization === `Bearer ${writeKey}`) next();
    else response.status(401).json({ error: 'Writing needs the key of the shop.' });
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The sample upstream has no port.');
  return address.port;
}
