import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import path from 'node:path';
import { Launch } from './launch.js';
import { librariesOf, type VisibleFile } from './runtime-files.js';
import { HOST_PRLIMIT, PRLIMIT, sandboxCommand, type SandboxTools } from './sandbox-command.js';
import type { SandboxProgram } from './sandbox-program.js';
import { isFilterable, syscallFilter } from './syscall-filter.js';

/** What this machine offers for sandboxes, found out once. */
export interface SandboxHost {
  readonly tools: SandboxTools;
  readonly launch: Launch;
  /** Folders of libraries that bubblewrap brought along, separated by colons. */
  readonly libraryPath: string;
  readonly filter: Buffer;
  /** What every sandbox sees, whatever runs in it. */
  readonly files: readonly VisibleFile[];
}

/** Where bubblewrap is, as configured; without it, where systems keep it. */
export interface BubblewrapPlace {
  readonly program: string | undefined;
  readonly libraryPath: string;
}

const INSTALLED = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];
const ROOT_NEEDS = ['/usr/bin/setpriv', '/usr/bin/unshare'];
const PROBE_MS = 10_000;
const PROBE_MEMORY_MB = 256;

/**
 * What sandboxes are made with here, tried out with `program`.
 * @throws Error with one sentence that says what is missing
 */
export async function findSandboxHost(place: BubblewrapPlace, program: SandboxProgram): Promise<SandboxHost> {
  if (process.platform !== 'linux') throw new Error('sandboxes are made with bubblewrap, which is for Linux');
  if (!isFilterable(process.arch)) throw new Error(`there is no filter of system calls for ${process.arch}`);
  const bubblewrap = place.program ?? INSTALLED.find((file) => existsSync(file));
  if (bubblewrap === undefined || !existsSync(bubblewrap))
    throw new Error('bubblewrap was not found; install the package `bubblewrap`, or name it in WHARF_BUBBLEWRAP');
  const launch = new Launch();
  const needs = launch.asRoot ? [HOST_PRLIMIT, ...ROOT_NEEDS] : [HOST_PRLIMIT];
  const missing = needs.find((file) => !existsSync(file));
  if (missing !== undefined) throw new Error(`${missing} was not found; install the package \`util-linux\``);
  const libraries = await librariesOf(HOST_PRLIMIT);
  const host: SandboxHost = {
    tools: {
      bubblewrap: launch.reachable(realpathSync(bubblewrap)),
      proc: true,
      countsProcesses: launch.ownUsers ? 'user' : countsProcessesForEachSandbox() ? 'namespace' : undefined,
    },
    launch,
    libraryPath: place.libraryPath
      .split(':')
      .filter((folder) => folder !== '')
      .map((folder) => launch.reachable(folder))
      .join(':'),
    filter: syscallFilter(process.arch),
    files: [{ from: HOST_PRLIMIT, to: PRLIMIT }, ...libraries.map((file) => ({ from: file, to: file }))],
  };
  return tried(host, program);
}

/** The files of a program in a host's sandboxes, each once, as the worker's user reaches them. */
export function filesOf(host: SandboxHost, program: SandboxProgram): VisibleFile[] {
  const places = new Map([...host.files, ...program.files].map(({ from, to }) => [to, from]));
  return [...places].map(([to, from]) => ({ from: host.launch.reachable(realpathSync(from)), to }));
}

/** The environment that bubblewrap itself is started with; what runs inside has its own. */
export function sandboxEnvironment({ libraryPath }: SandboxHost): Record<string, string> {
  return libraryPath === '' ? {} : { LD_LIBRARY_PATH: libraryPath };
}

/** The host as far as it works: hosts that mask parts of /proc (containers) refuse a new one. */
function tried(host: SandboxHost, program: SandboxProgram): SandboxHost {
  const failure = failureOf(host, program);
  if (failure === undefined) return host;
  const withoutProc = { ...host, tools: { ...host.tools, proc: false } };
  if (failureOf(withoutProc, program) === undefined) return withoutProc;
  throw new Error(`bubblewrap does not work here: ${failure}`);
}

function failureOf(host: SandboxHost, program: SandboxProgram): string | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-probe-'));
  const file = path.join(folder, 'syscalls.bpf');
  writeFileSync(file, host.filter);
  const filter = openSync(file, 'r');
  const [node = ''] = program.command({ memoryMb: PROBE_MEMORY_MB });
  const plan = {
    files: filesOf(host, program),
    command: [node, '--version'],
    memoryMb: PROBE_MEMORY_MB,
    scratchMb: 1,
  };
  const [shell, ...args] = host.launch.command(sandboxCommand(host.tools, plan), undefined);
  try {
    const { status, stderr, error } = spawnSync(shell, args, {
      cwd: '/',
      env: sandboxEnvironment(host),
      stdio: ['ignore', 'ignore', 'pipe', 'ignore', filter],
      timeout: PROBE_MS,
      encoding: 'utf8',
    });
    if (status === 0) return undefined;
    return error?.message ?? (stderr.trim().split('\n')[0] || `a trial ended with ${status}`);
  } finally {
    closeSync(filter);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Since Linux 5.14, a limit on processes counts those of the user namespace that it was set in. */
function countsProcessesForEachSandbox(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 14);
}
