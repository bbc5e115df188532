import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { ProxyUnderTest } from './proxy.fixture.js';

describe("a worker's proxy", () => {
  let under: ProxyUnderTest;

  afterEach(() => under.close());

  it('passes a request on as it is, but for what ends at this hop', async () => {
    under = await ProxyUnderTest.start();
    const headers = {
      authorization: 'Bearer its own',
      connection: 'close, x-private',
      'x-private': 'one hop',
      'proxy-authorization': 'Basic x',
      host: 'elsewhere.example',
    };
    const answer = await under.ask(`${under.upstream.origin}/echo?a=b`, 'POST', headers, 'a body');
    expect(answer).toMatchObject({ status: 200, body: 'POST /echo?a=b' });
    expect(answer.headers['set-cookie']).toEqual(['a=b', 'c=d']);
    const moved = under.moved.reduce((sum, bytes) => sum + bytes, 0);
    expect(moved).toBeGreaterThanOrEqual('a body'.length + 'POST /echo?a=b'.length);
    const [seen] = under.upstream.seen;
    expect(seen).toMatchObject({ method: 'POST', url: '/echo?a=b', body: 'a body' });
    expect(seen?.headers).toMatchObject({ authorization: 'Bearer its own', host: `127.0.0.1:${under.upstream.port}` });
    expect(Object.keys(seen?.headers ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^x-private$|^proxy-/)]),
    );
  });

  it('passes nothing on to an origin that the release does not name', async () => {
    under = await ProxyUnderTest.start();
    const { unnamed, upstream } = under;
    expect(await under.ask(`${unnamed.origin}/`)).toMatchObject({
      status: 403,
      body: expect.stringContaining('not among the origins of this release'),
    });
    expect((await under.connect(`127.0.0.1:${unnamed.port}`)).status).toBe(403);
    expect((await under.ask(`http://user:pass@127.0.0.1:${unnamed.port}/`)).status).toBe(403);
    expect([...unnamed.seen, ...upstream.seen]).toEqual([]);
    expect(under.rules).toEqual(['egress.blocked', 'egress.blocked', 'egress.blocked']);
  });

  it('opens no tunnel to a private address, although the release names it', async () => {
    under = await ProxyUnderTest.start();
    for (const { status, body } of [
      await under.connect('169.254.169.254:80'),
      await under.ask('http://169.254.169.254/'),
    ])
      expect([status, body]).toEqual([403, expect.stringContaining('not on the public internet')]);
  });

  it.each([
    'localhost',
    'localhost:0',
    'localhost:65536',
    'localhost:80:80',
    'user@localhost:80',
    '[::1:80',
    'a b:80',
    ':443',
    'http://localhost:80',
    '%31%32%37.0.0.1:80/x',
  ])('refuses a tunnel to "%s"', async (authority) => {
    under = await ProxyUnderTest.start();
    const answered = await under.connect(authority).then(
      ({ status }) => status,
      () => 400, // what is no HTTP at all is answered by the parser
    );
    expect([400, 403]).toContain(answered);
  });

  it.each(['0x7f000001', '2130706433', '127.1'])('knows the address that %s names', async (host) => {
    under = await ProxyUnderTest.start();
    expect((await under.connect(`${host}:${under.unnamed.port}`)).status).toBe(403);
    expect((await under.connect(`${host}:${under.upstream.port}`)).status).toBe(200);
  });

  it('is no server of its own', async () => {
    under = await ProxyUnderTest.start();
    expect(await under.ask('/')).toMatchObject({ status: 403, body: expect.stringContaining('send the whole URL') });
    expect((await under.ask('file:///etc/passwd')).status).toBe(403);
  });

  it('carries TLS between the code and the upstream, which it does not look into', async () => {
    under = await ProxyUnderTest.start();
    const { port, cert, seen } = under.secure;
    const { socket } = await under.connect(`localhost:${port}`);
    const secured = connectTls({ socket, servername: 'localhost', ca: cert });
    secured.end('GET /inside HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of secured) text += String(chunk);
    expect(text).toContain('secure /inside');
    expect(seen).toEqual(['/inside']);
  });

  it.each(['ask', 'connect'] as const)('says that nobody listens: %s', async (how) => {
    under = await ProxyUnderTest.start();
    await under.upstream.close();
    const answer = await (how === 'ask'
      ? under.ask(`${under.upstream.origin}/`)
      : under.connect(`127.0.0.1:${under.upstream.port}`));
    expect(answer).toMatchObject({ status: 502, body: expect.stringContaining('it refused the connection') });
  });

  it('leaves an upstream alone after ten failures, for its own requests and all others of the tenant', async () => {
    under = await ProxyUnderTest.start();
    const { origin, port } = under.upstream;
    for (let failure = 0; failure < 10; failure += 1) expect((await under.ask(`${origin}/500`)).status).toBe(500);
    const refused = await under.ask(`${origin}/`);
    expect(refused).toMatchObject({ status: 503, body: expect.stringContaining('left alone for a while') });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(1);
    expect((await under.connect(`127.0.0.1:${port}`)).status).toBe(503);
    expect(under.egress.upstreams('tenant', [origin])[0]).toMatchObject({ state: 'open', failures: 10 });
    expect(under.upstream.seen).toHaveLength(10);
  });

  it('bounds how much one request or tunnel moves', async () => {
    under = await ProxyUnderTest.start({ bytesMax: 64 * 1024 });
    await expect(under.ask(`${under.upstream.origin}/large`)).rejects.toThrow();
    const { socket } = await under.connect(`127.0.0.1:${under.upstream.port}`);
    socket.on('error', () => undefined).resume();
    socket.write('GET /large HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(socket, 'close');
    expect(socket.bytesRead).toBeLessThan(256 * 1024);
    expect((await under.ask(`${under.upstream.origin}/`)).status).toBe(200);
  });

  it('ends what is silent for too long, and what lasts too long', async () => {
    under = await ProxyUnderTest.start({ idleMs: 200 });
    expect(await under.ask(`${under.upstream.origin}/hang`)).toMatchObject({ status: 504 });
    const { socket } = await under.connect(`127.0.0.1:${under.upstream.port}`);
    await once(socket.resume(), 'close');
    await under.close();
    under = await ProxyUnderTest.start({ totalMs: 200 });
    expect(await under.ask(`${under.upstream.origin}/hang`)).toMatchObject({ status: 504 });
    const { socket: other } = await under.connect(`127.0.0.1:${under.upstream.port}`);
    await once(other.resume(), 'close');
  });

  it('bounds how much runs at once', async () => {
    under = await ProxyUnderTest.start({ exchangesMax: 2 });
    const first = await under.connect(`127.0.0.1:${under.upstream.port}`);
    const hanging = under.ask(`${under.upstream.origin}/hang`).catch(() => undefined);
    await under.upstream.untilSeen('/hang');
    expect(await under.ask(`${under.upstream.origin}/`)).toMatchObject({ status: 503 });
    expect((await under.connect(`127.0.0.1:${under.upstream.port}`)).status).toBe(503);
    first.socket.destroy();
    under.proxy.close();
    await hanging;
  });

  it('gives up a request whose asker leaves, without holding it against the upstream', async () => {
    under = await ProxyUnderTest.start();
    const left = new Promise<void>((resolve) => under.upstream.onceClosed(resolve));
    const { socket } = await under.connect(`127.0.0.1:${under.upstream.port}`);
    socket.write('GET /hang HTTP/1.1\r\nhost: a\r\n\r\n');
    await under.upstream.untilSeen('/hang');
    socket.destroy();
    await left;
    expect(under.egress.upstreams('tenant', [under.upstream.origin])[0]).toMatchObject({ failures: 0 });
  });
});

describe('ordinary code behind a proxy', () => {
  let under: ProxyUnderTest;

  afterEach(() => under.close());

  const FETCH = `
    for (const url of process.env.URLS.split(' ')) {
      const text = await fetch(url).then((r) => r.text().then((t) => r.status + ' ' + t), (e) => 'failed ' + (e.cause?.message ?? e));
      console.log(text);
    }`;
  const NODE_HTTP = `
    const { default: http } = await import('node:http');
    const { default: https } = await import('node:https');
    for (const url of process.env.URLS.split(' ')) {
      const client = url.startsWith('https:') ? https : http;
      console.log(await new Promise((resolve) => client.get(url, (response) => {
        let text = '';
        response.on('data', (chunk) => { text += chunk; }).on('end', () => resolve(response.statusCode + ' ' + text));
      }).on('error', (error) => resolve('failed ' + error.message))));
    }`;

  it.each([
    ['fetch', FETCH],
    ['node:http and node:https', NODE_HTTP],
  ])('reaches the origins of its release and no other, with %s', async (_, program) => {
    under = await ProxyUnderTest.start();
    const trusted = path.join(mkdtempSync(path.join(tmpdir(), 'wharf-proxy-test-')), 'ca.pem');
    writeFileSync(trusted, under.secure.cert);
    const urls = [
      `${under.upstream.origin}/plain`,
      `https://localhost:${under.secure.port}/tls`,
      `${under.unnamed.origin}/`,
    ];
    const output = await under.run(program, under.url, {
      URLS: urls.join(' '),
      NODE_EXTRA_CA_CERTS: trusted,
      NO_PROXY: '',
    });
    const [plain, secure, unnamed] = output.split('\n');
    expect([plain, secure]).toEqual(['200 GET /plain', '200 secure /tls']);
    expect(unnamed).toMatch(/^(?:403|failed)/);
    expect(under.unnamed.seen).toEqual([]);
  });
});
