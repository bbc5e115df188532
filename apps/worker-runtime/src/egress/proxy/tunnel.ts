import type { Duplex } from 'node:stream';
import type { ProxyExchange } from './proxy-exchange.js';

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/** Passes bytes both ways until both sides have ended. @throws what broke it off */
export function tunnel(between: {
  readonly client: Duplex;
  readonly upstream: Duplex;
  /** What the client sent behind its CONNECT. */
  readonly head: Buffer;
  readonly exchange: ProxyExchange;
}): Promise<void> {
  const { client, upstream, head, exchange } = between;
  const sent = exchange.counter('sent');
  const received = exchange.counter('received');
  exchange.onEnd(() => client.destroy());
  return new Promise((resolve, reject) => {
    for (const stream of [client, sent, upstream, received]) {
      stream.once('error', (error) => {
        reject(error);
        client.destroy();
      });
    }
    client.once('close', () => {
      upstream.destroy();
      resolve();
    });
    // What the upstream sent last is still on its way to the client.
    upstream.once('close', () => client.end(() => client.destroy()));
    client.write(ESTABLISHED);
    if (head.length > 0) client.unshift(head);
    client.pipe(sent).pipe(upstream);
    upstream.pipe(received).pipe(client);
  });
}
