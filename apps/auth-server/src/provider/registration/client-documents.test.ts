import { createServer, type Server } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compressionBomb, selfSigned } from '#libs/testing';
import { ClientDocuments } from './client-documents.js';
import { parseClientDocument } from './registration.js';

const URL_OF_CLIENT = 'https://app.example/client.json';
const DOCUMENT = {
  client_id: URL_OF_CLIENT,
  client_name: 'App',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token', 'urn:something:else'],
  scope: 'whatever',
};

function parse(document: unknown): Readonly<Record<string, unknown>> {
  return parseClientDocument(URL_OF_CLIENT, Buffer.from(JSON.stringify(document)));
}

describe('a client’s metadata document', () => {
  test('gives what we know and nothing else', () => {
    expect(parse(DOCUMENT)).toEqual({
      client_id: URL_OF_CLIENT,
      client_name: 'App',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    });
  });

  test.each([
    ['names another URL (O-30)', { ...DOCUMENT, client_id: `${URL_OF_CLIENT}/` }],
    ['has a secret (O-32)', { ...DOCUMENT, client_secret: 'x' }],
    ['wants to authenticate with a secret (O-32)', { ...DOCUMENT, token_endpoint_auth_method: 'client_secret_post' }],
    ['has no name', { ...DOCUMENT, client_name: undefined }],
    ['redirects to plain http', { ...DOCUMENT, redirect_uris: ['http://app.example/cb'] }],
    ['redirects to a URL with a tab in its host', { ...DOCUMENT, redirect_uris: ['https://a.ex\tample/cb'] }],
    ['is a list', [DOCUMENT]],
  ])('is refused when it %s', (_reason, document) => {
    expect(() => parse(document)).toThrow();
  });

  test.each([
    'http://app.example/c',
    'https://127.0.0.1/c',
    'https://[::1]/c',
    'https://[::ffff:10.0.0.1]/c',
    'https://168.63.129.16/c',
    'https://localhost/c',
  ])('is not fetched from %s (O-31)', async (url) => {
    const documents = new ClientDocuments();
    await expect(documents.fetch(url)).rejects.toThrow();
    await documents.stop();
  });
});

describe('a document that is fetched (O-31)', () => {
  const certificate = selfSigned('app.example');
  const asked: string[] = [];
  const bombs = new Map<string, Buffer>();
  let coding: string | undefined;
  let server: Server;
  let documents: ClientDocuments;

  beforeAll(async () => {
    server = createServer(certificate, (request, response) => {
      asked.push(request.url ?? '');
      coding = request.headers['accept-encoding'];
      const bomb = bombs.get(request.url ?? '');
      if (bomb !== undefined)
        return response.writeHead(200, { 'content-encoding': String(request.url).slice(1) }).end(bomb);
      const document = JSON.stringify({ ...DOCUMENT, client_id: urlOf(request.url ?? '') });
      switch (request.url) {
        case '/moved':
          return response.writeHead(302, { location: urlOf('/metadata') }).end();
        case '/away':
          return response.writeHead(404).end(document);
        case '/long':
          return response.writeHead(200).end(document.padEnd(10 * 1024 + 1));
        case '/streamed':
          response.writeHead(200).write(document.padEnd(9 * 1024));
          return response.end(' '.repeat(2 * 1024));
        case '/slow':
          return undefined;
        case '/stalls':
          return response.writeHead(200).write('{');
        default:
          return response.writeHead(200, { 'cache-control': 'max-age=60' }).end(document.padEnd(10 * 1024));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    for (const name of ['gzip', 'br'] as const) bombs.set(`/${name}`, await compressionBomb(name));
    // The internet's own name server, which knows one app.
    const lookup: LookupFunction = (_name, { all }, callback) => {
      if (all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    };
    documents = new ClientDocuments({ lookup, ca: certificate.cert, deadlineMs: 1_000 });
  });
  afterAll(async () => {
    await documents.stop();
    server.closeAllConnections();
    server.close();
  });

  const urlOf = (path: string): string => `https://app.example:${(server.address() as AddressInfo).port}${path}`; // it listens on TCP

  test('is taken with at most 10 KiB, and with what it says of caching', async () => {
    const answer = await documents.fetch(urlOf('/good'));
    expect(await answer.json()).toMatchObject({ client_id: urlOf('/good') });
    expect(answer.headers.get('cache-control')).toBe('max-age=60');
  });

  test.each(['/away', '/long', '/streamed', '/slow', '/stalls'])('is refused at %s', async (path) => {
    await expect(documents.fetch(urlOf(path))).rejects.toThrow();
    expect(asked).toContain(path);
  });

  test.each(['gzip', 'br'])('is refused compressed by %s, which is not asked for', async (name) => {
    await expect(documents.fetch(urlOf(`/${name}`))).rejects.toThrow(`compressed answer (${name})`);
    await expect(documents.fetchKeySet(urlOf(`/${name}`))).rejects.toThrow(`compressed answer (${name})`);
    expect(coding).toBe('identity');
  });

  test('is not looked for where a redirect leads', async () => {
    await expect(documents.fetch(urlOf('/moved'))).rejects.toThrow('302');
    expect(asked).not.toContain('/metadata');
  });

  test('is not asked for at a name that leads to a private address', async () => {
    const guarded = new ClientDocuments({ ca: certificate.cert });
    const before = asked.length;
    await expect(guarded.fetch(`https://localhost:${(server.address() as AddressInfo).port}/good`)).rejects.toThrow();
    expect(asked).toHaveLength(before);
    await guarded.stop();
  });
});
