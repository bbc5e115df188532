import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeFrame, FrameWriter, type FromRunnerFrame, type ToRunnerFrame } from '#libs/protocol';
import { untilTrue } from '../worker-runtime.fixture.js';
import { hearFrames } from './hear-frames.js';

const ASKED = 2_000;
const ANSWER = Buffer.alloc(16 * 1024);
/** What is held of the answers, and the chunk of questions that was being read. */
const HELD_BYTES_MAX = 24 * 1024 * 1024;

let folder: string;
let server: Server;
let runner: Socket;
let ours: Socket;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-frames-'));
  const place = path.join(folder, 'socket');
  server = createServer().listen(place);
  const arrives = once(server, 'connection');
  runner = createConnection(place);
  [ours] = (await arrives) as [Socket]; // what a server's connection is
});
afterEach(() => {
  runner.destroy();
  ours.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

/** Answers every question at length; says how many there were. */
function answering(): () => number {
  const writer = new FrameWriter<ToRunnerFrame>(ours);
  let heard = 0;
  hearFrames(ours, {
    onFrame: () => {
      heard += 1;
      writer.send({ t: 'answer', a: heard }, ANSWER);
    },
    onFault: () => ours.destroy(),
  });
  return () => heard;
}

const question = encodeFrame({ t: 'ask', s: 1, a: 1, serverSlug: 'x'.repeat(60) } satisfies FromRunnerFrame);

test('does not listen to a runner that asks without end and takes no answer, and holds a bounded number of them', async () => {
  const heard = answering();
  const ask = (): void => {
    while (runner.write(question));
  };
  runner.on('drain', ask).pause();
  ask();
  await untilTrue(() => ours.isPaused());
  const before = heard();
  expect(ours.writableLength).toBeLessThan(HELD_BYTES_MAX);
  await untilTrue(() => runner.writableLength > 0 && ours.isPaused());
  expect(heard()).toBe(before);
});

test('hears everything of one that takes its answers, however many they are', async () => {
  const heard = answering();
  let taken = 0;
  runner.on('data', (chunk: Buffer) => (taken += chunk.length));
  for (let asked = 0; asked < ASKED; asked += 1) runner.write(question);
  await untilTrue(() => heard() === ASKED);
  await untilTrue(() => taken >= ASKED * ANSWER.length);
});
