import { Socket } from 'node:net';
import { RunnerPipe, type RuntimeFrameReceived } from './pipe.js';
import { Worker } from './serve/worker.js';

/** File descriptor of the duplex socket that the worker-runtime hands to this process. */
const PIPE_DESCRIPTOR = 3;

const pipe = new RunnerPipe(new Socket({ fd: PIPE_DESCRIPTOR, readable: true, writable: true }));
let worker: Worker | undefined;

/** What this process is for is decided by its first frame, once: serving (`bind`) or one build. */
function receive(frame: RuntimeFrameReceived): void {
  if (worker !== undefined) worker.receive(frame);
  else if (frame.header.t === 'bind') worker = Worker.bind(pipe, frame.header, frame.payload);
  else if (frame.header.t === 'build') void build(frame.header, frame.payload);
}

/** Builds one release, answers, ends. The builder is loaded only here, so that serving workers never carry it. */
async function build(header: Extract<RuntimeFrameReceived['header'], { t: 'build' }>, payload: Buffer): Promise<void> {
  const { answerBuild } = await import('./build/answer-build.js');
  await answerBuild(pipe, header, payload);
  await pipe.finish();
  process.exit(0);
}

pipe.listen(receive, () => process.exit(0));
pipe.send({ t: 'ready' });
