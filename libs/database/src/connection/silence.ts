import type { Socket } from 'node:net';
import type { ClientBase } from 'pg';

/** What pg's clients are made of: the socket, encrypted or not, and whether the server has answered all that was asked. */
interface Wire {
  readonly connection: { readonly stream: Socket };
  readonly readyForQuery: boolean;
}

/** Thrown into what waits on a connection that has fallen silent. */
class SilentConnection extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * Ends a connection whose server owes an answer and sends nothing for so long: the other end may be gone without a word
 * (a machine that lost its power, a firewall that forgot the connection), and TCP alone would wait for a quarter of an
 * hour. The server itself ends statements earlier, so an answer of some kind comes where it is there.
 */
export function endWhenSilent(client: ClientBase, ms: number): void {
  const wire = client as unknown as Wire; // pg's client has both, and its types neither
  const { stream } = wire.connection;
  stream.setTimeout(ms).on('timeout', () => {
    // One that rests is watched on: Node's timer ends when it has fired.
    if (wire.readyForQuery) stream.setTimeout(ms);
    else stream.destroy(new SilentConnection(`PostgreSQL has sent nothing for ${ms} ms; the connection was given up.`));
  });
}
