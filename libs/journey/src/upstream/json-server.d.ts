/** The parts of json-server 0.17 that the sample upstream uses; the package has no types of its own. */
declare module 'json-server' {
  import type { RequestHandler } from 'express';
  import type { RequestListener } from 'node:http';

  interface JsonServer {
    create(): RequestListener & { use(...handlers: readonly RequestHandler[]): void };
    defaults(options: { readonly logger: boolean; readonly readOnly?: boolean }): RequestHandler[];
    router(data: Readonly<Record<string, readonly unknown[]>>): RequestHandler;
  }
  const server: JsonServer;
  export default server;
}
