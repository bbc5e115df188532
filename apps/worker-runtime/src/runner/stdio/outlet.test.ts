import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Outlet } from './outlet.js';
import { takeWayOut } from './way-out.js';

let runtime: Server;
let near: Socket;
let far: Socket;
let outlet: Outlet;
let lost: number;
let client: Socket | undefined;

beforeEach(async () => {
  runtime = createServer().listen(0, '127.0.0.1');
  await once(runtime, 'listening');
  near = connect((runtime.address() as AddressInfo).port, '127.0.0.1'); // it listens on TCP
  [far] = (await once(runtime, 'connection')) as [Socket];
  far.on('error', () => undefined);
  takeWayOut(near);
  lost = 0;
  outlet = new Outlet(() => (lost += 1));
});
afterEach(() => {
  client?.destroy();
  outlet.close();
  near.destroy();
  far.destroy();
  runtime.close();
});

/** Connects to the port of a release, as a package does. */
async function connectAsPackage(): Promise<Socket> {
  const { HTTP_PROXY = '' } = await outlet.environmentFor('sha256:release', []);
  client = connect(Number(new URL(HTTP_PROXY).port), '127.0.0.1');
  client.on('error', () => undefined);
  return client;
}

it('carries connections over the one that its pod has opened, and says when that has ended', async () => {
  const opened = await connectAsPackage();
  const [sent] = (await once(far, 'data')) as [Buffer];
  expect(sent.toString('latin1')).toMatch(/^PRI \* HTTP\/2\.0/);
  const closed = once(opened, 'close');
  far.destroy();
  await closed;
  expect(lost).toBe(1);
});

it('says so when it is first used after that', async () => {
  near.destroy();
  await once(await connectAsPackage(), 'close');
  expect(lost).toBe(1);
});

it('says nothing when it is closed', async () => {
  const opened = await connectAsPackage();
  await once(far, 'data');
  outlet.close();
  await once(opened, 'close');
  expect(lost).toBe(0);
});
