import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { freePort } from '#libs/embedded';
import type { Contender } from '../rounds/compare.js';

/** A program from npm that puts a stdio server on HTTP, which is a part of what the platform does. */
interface Peer {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly eras: Contender['eras'];
  /** Its arguments to listen on a port in front of a command. */
  arguments(port: number, command: readonly string[]): string[];
}

const PEERS: readonly Peer[] = [
  {
    name: 'mcp-proxy',
    version: '6.7.19',
    file: 'dist/bin/mcp-proxy.mjs',
    eras: ['2025', '2026'],
    arguments: (port, command) => [
      '--port',
      String(port),
      '--host',
      '127.0.0.1',
      '--server',
      'stream',
      '--',
      ...command,
    ],
  },
  {
    name: 'supergateway',
    version: '4.0.0',
    file: 'dist/index.js',
    eras: ['2025'],
    arguments: (port, command) =>
      `--outputTransport streamableHttp --stateful --logLevel none --port ${port} --stdio`
        .split(' ')
        .concat(command.join(' ')),
  },
];

const FOLDER = path.resolve('.cache/bench-peers');
const MAIN = path.resolve(import.meta.dirname, '../main.js');
const START_MS = 20_000;

/** Running peers, to be compared and stopped. */
export interface RunningPeers {
  readonly contenders: readonly Contender[];
  stop(): void;
}

/** Installs the peers into a folder of the bench's own, without their scripts, and starts each in front of the echo server. */
export async function startPeers(upstreamPort: number): Promise<RunningPeers> {
  install();
  const started: Contender[] = [];
  const stops: Array<() => void> = [];
  for (const peer of PEERS) {
    const port = await freePort();
    const command = [process.execPath, MAIN, 'program', 'stdio', String(upstreamPort)];
    const file = path.join(FOLDER, 'node_modules', peer.name, peer.file);
    const child = spawn(process.execPath, [file, ...peer.arguments(port, command)], { stdio: 'ignore' });
    stops.push(() => child.kill('SIGTERM'));
    await untilListening(port);
    const url = `http://127.0.0.1:${port}/mcp`;
    started.push({ name: `${peer.name} ${peer.version}`, pid: child.pid ?? 0, url, eras: peer.eras ?? [] });
  }
  return {
    contenders: started,
    stop() {
      for (const stop of stops) stop();
    },
  };
}

function install(): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(path.join(FOLDER, 'package.json'), '{"private": true}\n');
  const packages = PEERS.map(({ name, version }) => `${name}@${version}`);
  const flags = ['--save-exact', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['install', ...flags, ...packages], { cwd: FOLDER, stdio: 'inherit' });
  if (status !== 0) throw new Error('The peers could not be installed; see npm’s message above.');
}

async function untilListening(port: number): Promise<void> {
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    const open = await new Promise<boolean>((resolve) => {
      const probe = createConnection({ port, host: '127.0.0.1' });
      probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
      probe.once('connect', () => probe.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listened on port ${port} within ${START_MS} ms`);
}
