import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server on which connections can lose their far end without the near one being told. */
export interface Way {
  /** The server's URL by this way. */
  readonly url: string;
  /** Whatever is sent on the connections that are open is taken and never answered from now on; new ones are well. */
  loseFarEnds(): void;
  /** The next connection is taken, and nobody says anything on it. */
  silenceNext(): void;
  /** Ends every connection, and refuses new ones until it is opened again. */
  shut(): Promise<void>;
  open(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens a way on the loopback to the server of a URL. */
export async function wayTo(url: string): Promise<Way> {
  const { hostname, port } = new URL(url);
  const open = new Map<Socket, Socket>();
  let silent = 0;
  const server = createServer((near) => {
    if (silent > 0) {
      silent -= 1;
      near.on('error', () => undefined).resume();
      return;
    }
    const far = connect(Number(port), hostname);
    open.set(near, far);
    near.on('data', (chunk) => void (far.destroyed || far.write(chunk))).on('error', () => undefined);
    far.on('data', (chunk) => near.write(chunk)).on('error', () => undefined);
    near.on('close', () => {
      open.delete(near);
      far.destroy();
    });
  });
  const listen = (at: number): Promise<void> => new Promise((resolve) => server.listen(at, '127.0.0.1', resolve));
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      for (const near of open.keys()) near.destroy();
      server.close(() => resolve());
    });
  await listen(0);
  const own = new URL(url);
  const { port: ownPort } = server.address() as AddressInfo; // a TCP server's address
  own.host = `127.0.0.1:${ownPort}`;
  return {
    url: own.toString(),
    loseFarEnds() {
      for (const far of open.values()) far.destroy();
    },
    silenceNext() {
      silent += 1;
    },
    shut,
    open: () => listen(ownPort),
    stop: shut,
  };
}
