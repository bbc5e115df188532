import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { FrameWriter, type FromRunnerFrame } from '#libs/protocol';

/** A runner that starts processes, one of them in a session of its own, and leaves them alone. */
const DAY_SECONDS = '86400';

for (const detached of [false, true])
  spawn('sleep', [DAY_SECONDS], { detached, stdio: 'ignore', env: { PATH: '/usr/bin:/bin' } }).unref();
const pipe = new Socket({ fd: 3, readable: true, writable: true });
pipe.on('close', () => process.exit(0)).resume();
new FrameWriter<FromRunnerFrame>(pipe).send({ t: 'ready' });
