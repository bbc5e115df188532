import { constants, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { EgressPolicy } from '../egress-policy.js';
import type { WorkerProxy } from './worker-proxy.js';

/** What an outlet is served for. */
export interface OutletOptions {
  /** What a release of the worker allows; undefined for what is none of its releases. */
  readonly policyOf: (digest: string) => EgressPolicy | undefined;
  /** The slugs of the servers that the worker serves a release as. */
  readonly serversOf: (digest: string) => readonly string[];
}

const STREAMS_MAX = 128;
const WINDOW_BYTES = 256 * 1024;
const HEADERS_MAX = 8;
const SESSION_MEMORY_MB = 16;

/**
 * Serves the descriptor that a worker inherits as the only way out for its code. It carries HTTP/2, which gives each
 * connection of the code a stream with flow control of its own; the stream's path names the release it is for, and
 * what runs through it is the proxy's business.
 */
export function serveOutlet(outlet: Duplex, proxy: WorkerProxy, { policyOf, serversOf }: OutletOptions): void {
  const session = performServerHandshake(outlet, {
    maxHeaderListPairs: HEADERS_MAX,
    maxSessionMemory: SESSION_MEMORY_MB,
    settings: { maxConcurrentStreams: STREAMS_MAX, initialWindowSize: WINDOW_BYTES },
  });
  session.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined); // its end is seen by the proxy
    const digest = String(headers[':path'] ?? '').slice(1);
    const policy = policyOf(digest);
    if (policy === undefined) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    stream.respond({ ':status': 200 });
    proxy.accept(stream, { digest, servers: serversOf(digest), policy });
  });
  session.on('error', () => session.destroy());
  session.once('close', () => proxy.close());
  outlet.on('error', () => session.destroy());
  outlet.once('close', () => session.destroy());
}
