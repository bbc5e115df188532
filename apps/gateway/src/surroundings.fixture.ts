import { spawn } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { newId } from '#libs/database';

const RUNTIME = path.resolve('dist/apps/worker-runtime/src/main.js');
/** The key that gateway and runtime share. */
export const INTAKE_KEY = 'an intake key for tests of 32 characters and more';

/** An HTTP server on loopback. */
export interface Listening {
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on a free port. */
export async function listen(listener: RequestListener): Promise<Listening> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address
  return {
    origin: `http://localhost:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Starts the compiled worker-runtime and waits until it listens; returns how to stop it. */
export async function startRuntime(socket: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, ['--enable-source-maps', RUNTIME], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      NODE_ENV: 'test',
      WHARF_RUNTIME_SOCKETS: socket,
      WHARF_INTAKE_KEY: INTAKE_KEY,
      WHARF_WARM_WORKERS: '1',
      WHARF_ALLOW_UNSANDBOXED: 'true',
    },
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('worker-runtime listens')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(`the runtime ended:\n${output}`)));
  });
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await exited;
  };
}

/** Signs access tokens as the authorization server does. */
export async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const keySet = await listen((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  const sign = (issuer: string, claims: Record<string, unknown>, lifetimeSeconds: number): Promise<string> =>
    new SignJWT({ client_id: 'client', scope: 'mcp', jti: newId(), sub: newId(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })
      .setIssuer(String(claims['iss'] ?? issuer))
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetimeSeconds)
      .sign(privateKey);
  return { keySet, sign };
}
