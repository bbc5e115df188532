import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { createLogger } from '#libs/telemetry';
import { untilGone, untilTrue } from '../worker-runtime.fixture.js';
import { endTree } from './end-child.js';
import { ProcessTable } from './process-table.js';
import { TreeWatch, type Watched, type WatchPace } from './tree-watch.js';
import { memoryOf } from './worker-memory.js';

const MIB = 1024 * 1024;
const OFTEN: WatchPace = { everyMs: 50, windowChecks: 5, coresMax: 1_000 };
const HOLDS =
  'const held = Buffer.alloc(40 * 1024 * 1024, 1); process.stdout.write("ready"); setInterval(() => held.fill(2), 1000)';
const RESTS = 'process.stdout.write("ready"); setInterval(() => undefined, 1_000_000)';
const SPINS = 'process.stdout.write("ready"); for (;;);';

const trees: Tree[] = [];
const said: string[] = [];
let watch: TreeWatch | undefined;

beforeEach(() => {
  said.length = 0;
});
afterEach(async () => {
  watch?.stop();
  for (const tree of trees.splice(0)) {
    tree.kill();
    await tree.ended;
  }
});

/** A shell with so many Nodes below it, each of which runs a script that says when it is ready. */
class Tree implements Watched {
  readonly #child;
  readonly ended: Promise<unknown>;
  killed = false;
  #ready = 0;

  constructor(count: number, script: string) {
    const nodes = Array<string>(count).fill(`'${process.execPath}' -e '${script}' &`).join(' ');
    this.#child = spawn('/bin/sh', ['-c', `${nodes} wait`], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    this.#child.stdout.on('data', (chunk: Buffer) => (this.#ready += chunk.toString().split('ready').length - 1));
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
    trees.push(this);
  }

  static async of(count: number, script: string): Promise<Tree> {
    const tree = new Tree(count, script);
    await untilTrue(() => tree.#ready === count);
    return tree;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(): void {
    this.killed = true;
    endTree(this.#child);
  }
}

function watching(pace: WatchPace): TreeWatch {
  const logger = createLogger('test', 'silent');
  logger.warn = ((...parts: unknown[]) => said.push(JSON.stringify(parts))) as typeof logger.warn; // all a watch calls
  watch = new TreeWatch(logger, pace);
  return watch;
}

test('ends a tree whose processes hold too much together, and none that has only mapped more than it may hold', async () => {
  const [greedy, frugal] = [await Tree.of(3, HOLDS), await Tree.of(1, HOLDS)];
  const table = new ProcessTable();
  const own = table.ownBytesOf(frugal.pid);
  const { residentBytes } = table.useOf(frugal.pid);
  expect(residentBytes).toBeGreaterThan(own + 8 * MIB);
  const seen = table.treeOf(greedy.pid);
  const started = watching(OFTEN);
  started.add(frugal, { memory: { bytesMax: (own + residentBytes) / 2 } });
  await untilTrue(() => memoryOf(frugal) !== undefined);
  started.add(greedy, { memory: { bytesMax: 100 * MIB } });
  await Promise.all(seen.map(untilGone));
  expect([greedy.killed, frugal.killed]).toEqual([true, false]);
  expect(said.join()).toContain('"bytesMax":104857600');
});

test('notes that a tree holds more than it did, long before that is too much', async () => {
  const growing = await Tree.of(1, `setTimeout(() => {${HOLDS}}, 1000); process.stdout.write("ready")`);
  watching(OFTEN).add(growing, { memory: { bytesMax: 1_024 * MIB } });
  await untilTrue(() => (memoryOf(growing) ?? 0) > 0);
  const before = memoryOf(growing) ?? 0;
  await untilTrue(() => (memoryOf(growing) ?? 0) > before + 32 * MIB);
  expect(growing.killed).toBe(false);
});

test('ends a tree that uses more cores than it may on average, and none that rests', async () => {
  const [busy, resting] = [await Tree.of(2, SPINS), await Tree.of(2, RESTS)];
  const seen = new ProcessTable().treeOf(busy.pid);
  const started = watching({ ...OFTEN, coresMax: 0.2 });
  for (const tree of [busy, resting]) started.add(tree, { memory: { bytesMax: 1_024 * MIB } });
  await Promise.all(seen.map(untilGone));
  expect([busy.killed, resting.killed]).toEqual([true, false]);
  expect(said.join()).toContain('"coresMax":0.2');
});
