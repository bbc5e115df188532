import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { selfSigned, type TestCertificate } from '#libs/testing';
import { EgressUnderTest } from './egress.fixture.js';

const DAY_MS = 86_400_000;

describe('TLS of egress', () => {
  const trusted = tls.getCACertificates('default');
  let under: EgressUnderTest;
  let server: Server | undefined;
  let hits = 0;

  beforeEach(async () => {
    under = await EgressUnderTest.start();
    hits = 0;
  });
  afterEach(async () => {
    tls.setDefaultCACertificates(trusted);
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    await under.close();
  });

  /** Starts an upstream with a certificate and asks it for something. */
  async function ask(certificate: TestCertificate) {
    const url = await listen(certificate);
    const port = Number(new URL(url).port);
    const context = under.context({ allowances: [{ host: '127.0.0.1', port }] });
    return under.ask(url, { policy: under.policy(url), context });
  }

  async function listen(certificate: TestCertificate): Promise<string> {
    const listening = createServer({ ...certificate }, (_request, response) => {
      hits += 1;
      response.end('secure');
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(listening.address() as AddressInfo).port}/`; // a TCP server's address
  }

  it('says that a certificate is self-signed and sends nothing', async () => {
    expect(await ask(selfSigned('127.0.0.1'))).toEqual({
      kind: 'failed',
      reason: 'untrusted',
      message: 'it is self-signed',
    });
    expect(hits).toBe(0);
  });

  it('says that a certificate has expired and sends nothing', async () => {
    const expired = selfSigned('127.0.0.1', Date.now() - DAY_MS);
    tls.setDefaultCACertificates([...trusted, expired.cert]);
    expect(await ask(expired)).toMatchObject({ reason: 'untrusted', message: 'it has expired' });
    expect(hits).toBe(0);
  });

  it('says that a certificate is for another name and sends nothing', async () => {
    const other = selfSigned('other.example');
    tls.setDefaultCACertificates([...trusted, other.cert]);
    expect(await ask(other)).toMatchObject({ reason: 'untrusted', message: 'it is for another name' });
    expect(hits).toBe(0);
  });

  it('speaks with an upstream whose certificate this machine trusts', async () => {
    const good = selfSigned('127.0.0.1');
    tls.setDefaultCACertificates([...trusted, good.cert]);
    expect(await ask(good)).toMatchObject({ kind: 'fetched', status: 200, body: Buffer.from('secure') });
  });

  it('says that an upstream does not speak TLS', async () => {
    const url = `${under.upstream.origin.replace('http:', 'https:')}/`;
    const context = under.context();
    expect(await under.ask(url, { policy: under.policy(url), context })).toMatchObject({
      reason: 'connect',
      message: expect.stringContaining('does not speak TLS'),
    });
  });

  it('verifies although the environment says not to', async () => {
    const url = await listen(selfSigned('127.0.0.1'));
    const asked = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', ASK, url], {
      env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      cwd: path.resolve('dist/apps/worker-runtime/src/egress'),
    });
    expect(asked.stdout).toContain('self-signed');
    expect(hits).toBe(0);
  });
});

/** A program that asks a URL through egress, as it is compiled. */
const ASK = `
  const folder = 'file://' + process.cwd();
  const { Egress } = await import(folder + '/egress.js');
  const { EgressPolicy } = await import(folder + '/egress-policy.js');
  const url = new URL(process.argv[1]);
  const manifest = { origins: [url.origin], credentials: [], tools: [{ name: 'tool', http: {} }] };
  const egress = new Egress();
  const answer = await egress.fetch({
    tenantId: 'tenant', release: { digest: '', servers: [] }, tool: 'tool', method: 'GET', url: url.href, headers: {},
    policy: EgressPolicy.read(Buffer.from(JSON.stringify(manifest))), body: Buffer.alloc(0), timeoutMs: 5000,
    context: { version: '1', secrets: {}, allowances: [{ host: url.hostname, port: Number(url.port) }] },
    signal: new AbortController().signal,
  });
  process.stdout.write(JSON.stringify(answer));
  await egress.close();
`;
