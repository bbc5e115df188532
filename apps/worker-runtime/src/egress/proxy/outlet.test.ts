import { afterEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { duplexPair, type Duplex } from 'node:stream';
import { startUpstream, type Upstream } from '../../upstream.fixture.js';
import { manifestOf } from '../../worker-runtime.fixture.js';
import { EgressPolicy } from '../egress-policy.js';
import { Egress } from '../egress.js';

const egress = new Egress({ resolve: async () => [] });
let upstream: Upstream;

afterEach(() => upstream.close());

/** The worker's end of an outlet that is served for two releases: one that names the upstream and one that names nothing. */
async function outlet(): Promise<Duplex> {
  upstream = await startUpstream((_request, response) => response.end('reached'));
  const policy = (tools: Record<string, string>): EgressPolicy =>
    EgressPolicy.read(Buffer.from(JSON.stringify(manifestOf(tools))));
  const policies = new Map([
    ['naming', policy({ own: `${upstream.origin}/x` })],
    ['naming-nothing', policy({})],
  ]);
  const [worker, runtime] = duplexPair();
  egress.serveOutlet(runtime, {
    tenantId: 'tenant',
    context: () => ({ version: '1', secrets: {}, allowances: [{ host: '127.0.0.1', port: upstream.port }] }),
    policyOf: (digest) => policies.get(digest),
    serversOf: () => ['shop'],
  });
  return worker;
}

async function sessionOf(worker: Duplex): Promise<ClientHttp2Session> {
  const session = connectHttp2('http://outlet', { createConnection: () => worker });
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  return session;
}

function stream(session: ClientHttp2Session, digest: string): ClientHttp2Stream {
  return session.request({ ':method': 'POST', ':path': `/${digest}` }, { endStream: false });
}

async function ask(session: ClientHttp2Session, digest: string): Promise<string> {
  const connection = stream(session, digest);
  connection.write(`GET ${upstream.origin}/x HTTP/1.1\r\nhost: any\r\nconnection: close\r\n\r\n`);
  let text = '';
  for await (const chunk of connection) text += String(chunk);
  return text;
}

it('carries connections, each with the origins of the release that it is for', async () => {
  const session = await sessionOf(await outlet());
  const [named, unnamed] = await Promise.all([ask(session, 'naming'), ask(session, 'naming-nothing')]);
  expect(named).toMatch(/^HTTP\/1\.1 200 [^]*reached/);
  expect(unnamed).toMatch(/^HTTP\/1\.1 403 /);
  session.destroy();
});

it('serves no release but those of its worker', async () => {
  const session = await sessionOf(await outlet());
  await expect(ask(session, 'of-somebody-else')).rejects.toThrow('Premature close');
  expect(upstream.seen).toEqual([]);
  session.destroy();
});

it('ends with what is no HTTP/2, and serves the next worker', async () => {
  const hostile = await outlet();
  hostile.on('error', () => undefined).resume();
  const closed = once(hostile, 'close');
  hostile.write(Buffer.alloc(100_000, 0xff));
  await Promise.race([closed, once(hostile, 'end')]);
  await upstream.close();
  const session = await sessionOf(await outlet());
  expect(await ask(session, 'naming')).toContain('reached');
  session.destroy();
});

it('lets a worker open no more connections at once than it may', async () => {
  const session = await sessionOf(await outlet());
  expect(session.remoteSettings.maxConcurrentStreams).toBe(128);
  session.destroy();
});
