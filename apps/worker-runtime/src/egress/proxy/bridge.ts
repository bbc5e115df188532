/**
 * Runs inside a sandbox, whose only network is a loopback of its own: takes connections there and passes their bytes to
 * the unix socket of the worker's proxy, for programs that know proxies by URL only. It writes its port and then nothing.
 *
 *     node bridge.js {socket path} [port]
 */
import { createConnection, createServer } from 'node:net';
import { pipeline } from 'node:stream';

const CONNECTIONS_MAX = 256;
const [socketPath = '', port = '0'] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (client) => {
  const proxy = createConnection({ path: socketPath, allowHalfOpen: true });
  pipeline(client, proxy, client, () => {
    client.destroy();
    proxy.destroy();
  });
});
server.maxConnections = CONNECTIONS_MAX;
server.listen(Number(port), '127.0.0.1', () => process.stdout.write(`${JSON.stringify(server.address())}\n`));
