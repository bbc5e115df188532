import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { RunnerPipe, type RuntimeFrameReceived } from './pipe.js';
import { collectGarbage, Rest } from './rest.js';
import type { Worker } from './serve/worker.js';

/** File descriptor of the duplex socket that the worker-runtime hands to its child processes. */
const PIPE_DESCRIPTOR = 3;

const pipe = new RunnerPipe(await connectionOf(process.argv.slice(2)));
/** Frames that came before there was a worker to take them. */
const early: RuntimeFrameReceived[] = [];
const rest = new Rest();
let worker: Worker | undefined;
/** Takes the frames that come while a release is built. */
let building: ((frame: RuntimeFrameReceived) => void) | undefined;

/** The inherited socket; a runner in a pod is told whom it calls. */
async function connectionOf([how, ...address]: readonly string[]): Promise<Duplex> {
  if (how !== 'call') return new Socket({ fd: PIPE_DESCRIPTOR, readable: true, writable: true });
  const { callRuntime } = await import('./call-runtime.js');
  const { pipe, outlet } = callRuntime(address);
  if (outlet !== undefined) (await import('./stdio/way-out.js')).takeWayOut(outlet);
  return pipe;
}

function receive(frame: RuntimeFrameReceived): void {
  rest.noteUse();
  if (worker !== undefined) {
    worker.receive(frame);
    return;
  }
  if (building !== undefined) {
    building(frame);
    return;
  }
  early.push(frame);
  if (early.length === 1) void begin(frame);
}

/** What this process is for is decided by its first frame, once: serving (`bind`) or one build. */
async function begin({ header, payload }: RuntimeFrameReceived): Promise<void> {
  if (header.t === 'build') await build(header, payload);
  if (header.t !== 'bind') return;
  const { Worker } = await serving;
  worker = Worker.bind(pipe, header, payload);
  for (const frame of early.splice(1)) worker.receive(frame);
}

/** Builds one release, answers, ends. The builder is loaded only here, so that serving workers never carry it. */
async function build(header: Extract<RuntimeFrameReceived['header'], { t: 'build' }>, payload: Buffer): Promise<void> {
  const { answerBuild } = await import('./build/answer-build.js');
  await answerBuild(pipe, header, payload, (take) => {
    building = take;
  });
  await pipe.finish();
  process.exit(0);
}

pipe.listen(receive, () => process.exit(0));
pipe.send({ t: 'ready' });
/** Loaded after `ready`, so that a waiting worker has everything by the time it is bound. */
const serving = import('./serve/worker.js');
void serving
  .then(() => import('./checks/tool-checks.js'))
  .then(() => {
    if (worker === undefined && early.length === 0) collectGarbage(); // nobody waits, and loading left much
  });
