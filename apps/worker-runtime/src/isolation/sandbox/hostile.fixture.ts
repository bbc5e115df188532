/** A program for sandboxes that does what it is told over its pipe, and it is told nothing good. */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { lookup, Resolver } from 'node:dns/promises';
import fs from 'node:fs';
import { connect, createServer, Socket, type NetConnectOpts } from 'node:net';
import { arch, networkInterfaces, userInfo } from 'node:os';
import { FrameDecoder, encodeFrame, type ToRunnerFrame } from '#libs/protocol';
import { callingProgram, forkBomb, hidingProgram } from './native-program.fixture.js';

const pipe = new Socket({ fd: 3 });

/** What an attempt came to: `ok` when it succeeded, else the error's code. */
function outcome(attempt: () => unknown): string {
  try {
    attempt();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error); // what Node throws has a code
  }
}

async function outcomeOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function connecting(options: NetConnectOpts): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, timeout: 2_000 });
    socket.once('connect', () => resolve());
    socket.once('error', reject);
    socket.once('timeout', () => reject(new Error('timeout')));
  });
}

function sending(port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.send('x', port, address, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Writes a native program into the scratch folder. */
function native(name: string, program: Buffer): string {
  const file = `/scratch/${name}`;
  fs.writeFileSync(file, program, { mode: 0o700 });
  return file;
}

const ATTACKS: Readonly<Record<string, (given: never) => unknown>> = {
  pid: () => process.pid,
  echo: (given: unknown) => given,
  read: (files: string[]) =>
    Object.fromEntries(files.map((file) => [file, outcome(() => fs.readFileSync(file) || fs.readdirSync(file))])),
  list: (folders: string[]) => Object.fromEntries(folders.map((folder) => [folder, fs.readdirSync(folder)])),
  write: (files: string[]) =>
    Object.fromEntries(files.map((file) => [file, outcome(() => fs.writeFileSync(file, 'mine'))])),
  links: (targets: string[]) =>
    targets.map((target, index) => {
      fs.symlinkSync(target, `/scratch/link-${index}`);
      return outcome(() => fs.readFileSync(`/scratch/link-${index}`) || fs.readdirSync(`/scratch/link-${index}`));
    }),
  memories: () =>
    fs.readdirSync('/proc').filter((name) => {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) return false;
      return outcome(() => fs.openSync(`/proc/${name}/mem`, 'r')) === 'ok';
    }),
  first: () =>
    Object.fromEntries(
      ['status', 'limits', 'environ'].map((name) => [name, fs.readFileSync(`/proc/1/${name}`, 'latin1')]),
    ),
  'spare-me': () => outcome(() => fs.writeFileSync('/proc/self/oom_score_adj', '0')),
  listen: (port: number) =>
    new Promise<string>((resolve) => {
      const server = createServer((socket) => socket.destroy());
      server.once('error', (error) => resolve(String(error)));
      server.listen(port, '0.0.0.0', () => resolve('ok'));
    }),
  'one-line': (bytes: number) => fs.writeSync(2, Buffer.alloc(bytes, 0x78)),
  stop: () => {
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
    for (const pid of [0, process.pid, -1]) outcome(() => process.kill(pid, 'SIGSTOP'));
  },
  'stop-children': (count: number) => {
    for (let index = 0; index < count; index += 1)
      spawn(process.execPath, ['-e', 'process.kill(process.pid, "SIGSTOP")'], {
        stdio: 'ignore',
        detached: true,
      }).unref();
  },
  environment: () => ({ ...process.env }),
  descriptors: () =>
    fs.readdirSync('/proc/self/fd').map((fd) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return 'closed';
      }
    }),
  processes: () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)),
  status: () => fs.readFileSync('/proc/self/status', 'latin1'),
  user: () => [outcome(() => userInfo()), process.getuid?.(), outcome(() => process.setuid?.(0))],
  interfaces: () => Object.keys(networkInterfaces()),
  connect: (targets: NetConnectOpts[]) =>
    Promise.all(targets.map(async (target) => outcomeOf(() => connecting(target)))),
  datagram: ([address, port]: [string, number]) => outcomeOf(() => sending(port, address)),
  resolve: async (name: string) => {
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    return [await outcomeOf(() => lookup(name)), await outcomeOf(() => resolver.resolve4(name))];
  },
  signal: (targets: number[]) => targets.map((pid) => outcome(() => process.kill(pid, 'SIGKILL'))),
  call: (calls: number[][]) =>
    calls.map(([number = 0, ...values], index) => {
      const file = native(`call-${index}`, callingProgram(number, ...values));
      const { status } = spawnSync(file);
      fs.rmSync(file);
      return status;
    }),
  files: (count: number) => {
    const opened: number[] = [];
    const refusal = outcome(() => {
      while (opened.length < count) opened.push(fs.openSync('/scratch', 'r'));
    });
    for (const file of opened) fs.closeSync(file);
    return [opened.length, refusal];
  },
  fill: (chunkBytes: number) => {
    const file = fs.openSync('/scratch/filler', 'w');
    let written = 0;
    const refusal = outcome(() => {
      for (;;) written += fs.writeSync(file, Buffer.alloc(chunkBytes, 1));
    });
    return [written, refusal];
  },
  'fill-many': (count: number) => {
    for (let index = 0; index < count; index += 1) fs.closeSync(fs.openSync(`/scratch/${index}`, 'w'));
  },
  flood: () => {
    const line = Buffer.from(`${'noise '.repeat(200)}\n`);
    for (;;) outcome(() => fs.writeSync(1, line));
  },
  spin: () => {
    for (;;);
  },
  'heap-bomb': () => {
    const held: unknown[] = [];
    for (;;) held.push(Array.from({ length: 100_000 }, (_, index) => ({ index })));
  },
  'buffer-bomb': () => {
    const held: Buffer[] = [];
    for (;;) held.push(Buffer.alloc(8 * 1024 * 1024, 1));
  },
  hoard: (children: number) => {
    const program = 'const held = Buffer.alloc(48 * 1024 * 1024, 1); setInterval(() => held.fill(2), 1000);';
    for (let index = 0; index < children; index += 1) spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
  },
  'spin-children': (children: number) => {
    for (let index = 0; index < children; index += 1)
      spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }).unref();
  },
  'fork-bomb': () => {
    const file = native('bomb', forkBomb());
    for (;;) outcome(() => spawn(file, { stdio: 'ignore' }).on('error', () => undefined));
  },
  hide: (count: number) => {
    const file = native('hidden', hidingProgram());
    for (let index = 0; index < count; index += 1) spawn(file, { stdio: 'ignore', detached: true }).unref();
  },
  garbage: () => {
    pipe.write(Buffer.alloc(1024 * 1024, 0xff));
  },
  architecture: () => arch(),
};

async function attack(name: string, given: unknown, s: number): Promise<void> {
  const result = await ATTACKS[name]?.(given as never); // the test gives what the attack takes
  pipe.write(encodeFrame({ t: 'part', s }, Buffer.from(JSON.stringify(result ?? null))));
}

const decoder = new FrameDecoder<ToRunnerFrame>();
pipe.on('data', (chunk: Buffer) => {
  for (const { header, payload } of decoder.push(chunk)) {
    if (header.t !== 'message') continue;
    const [name, given] = JSON.parse(payload.toString()) as [string, unknown]; // as the test sends it
    void attack(name, given, header.s);
  }
});
pipe.on('close', () => process.exit(0));
pipe.write(encodeFrame({ t: 'ready' }));
