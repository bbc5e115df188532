import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWTHeaderParameters, type JWTPayload } from 'jose';
import { newId } from '#libs/database';

/** What a token says; absent parts are those of a good token. */
export interface TokenParts {
  readonly claims: JWTPayload & { sub: string; tenant: string; aud: string };
  readonly header?: Partial<JWTHeaderParameters>;
  readonly lifetimeSeconds?: number;
  /** Signs with a key that is not in the key set. */
  readonly foreignKey?: true;
}

/** An issuer with a key set on a port of its own, standing in for the authorization server. */
export async function startTokenIssuer(issuer: string) {
  const [own, foreign] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  const keys = [{ ...(await exportJWK(own.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }];
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    jwksUrl: `http://127.0.0.1:${port}/jwks`,
    async token({ claims, header = {}, lifetimeSeconds = 600, foreignKey }: TokenParts): Promise<string> {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT({ client_id: 'client', scope: 'management', jti: newId(), iss: issuer, ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })
        .setIssuedAt(now)
        .setExpirationTime(now + lifetimeSeconds)
        .sign((foreignKey === true ? foreign : own).privateKey);
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
