import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '#libs/embedded';
import { endOf, until, untilAnswers } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

const SESSIONS = 12;
const LIST = { id: 2, method: 'tools/list' };

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-told-to-stop-'));
let gateway: GatewayUnderTest;
let upstream: Listening;
let acme: TenantUnderTest;
/** A gateway in a process of its own, beside the one of the test. */
let child: ChildProcess;
let origin: string;
/** The call that the upstream has not answered yet. */
let hanging: ServerResponse | undefined;

beforeAll(async () => {
  upstream = await listen((_request, response) => void (hanging = response));
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { hang: `${upstream.origin}/hang` });
  await gateway.allow(acme, upstream);
  const port = await freePort();
  child = spawn(process.execPath, [path.resolve('dist/apps/gateway/src/main.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...gateway.environment, WHARF_DATA_DIR: folder, WHARF_PORT: String(port) },
  });
  origin = `http://127.0.0.1:${port}`;
  await untilAnswers(child, `${origin}/healthz`);
});

afterAll(async () => {
  await endOf(child);
  await gateway?.stop();
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

const urlAt = (at: string): string => acme.serverUrl.replace(gateway.origin, at);

const post = (at: string, { headers, body }: { headers: Record<string, string>; body: string }) =>
  send(urlAt(at), { headers: { ...headers, authorization: `Bearer ${acme.key}` }, body });

async function openSession(): Promise<string> {
  const id = String((await post(origin, legacy(INITIALIZE))).headers['mcp-session-id']);
  await post(origin, legacy({ method: 'notifications/initialized' }, id));
  return id;
}

/** A session's stream, from its first byte on. */
async function openStream(at: string, id: string): Promise<IncomingMessage> {
  const authorization = `Bearer ${acme.key}`;
  const headers = { accept: 'text/event-stream', authorization, 'mcp-session-id': id };
  const request = httpRequest(urlAt(at), { method: 'GET', headers, agent: false }).end();
  const [stream] = (await once(request, 'response')) as [IncomingMessage]; // what 'response' comes with
  stream.resume();
  return stream;
}

test('streams of sessions end in order with the gateway that is told to stop, calls are answered, and sessions go on at another', async () => {
  const ids = await Promise.all(Array.from({ length: SESSIONS }, openSession));
  const streams = await Promise.all(ids.map((id) => openStream(origin, id)));
  expect(streams.map(({ statusCode }) => statusCode)).toEqual(ids.map(() => 200));
  const called = post(origin, legacy({ id: 3, method: 'tools/call', params: { name: 'hang', arguments: {} } }, ids[0]));
  await until(() => hanging, 'the call that hangs');

  const ended = Promise.all(streams.map((stream) => once(stream, 'end')));
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  // To its end, not torn off: nobody has to guess whether something is missing.
  expect(streams.map(({ complete }) => complete)).toEqual(ids.map(() => true));
  hanging?.setHeader('content-type', 'application/json').end('{}');
  expect((await called).status).toBe(200);
  expect(await exited).toEqual([0, null]);

  for (const id of ids) {
    expect((await post(gateway.origin, legacy(LIST, id))).status).toBe(200);
    const again = await openStream(gateway.origin, id);
    expect(again.statusCode).toBe(200);
    again.destroy();
  }
});
