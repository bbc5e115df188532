import path from 'node:path';
import { dataBytes, OPEN_FILES_MAX, PROCESSES_MAX } from '../worker-limits.js';
import { INSIDE, type VisibleFile } from './runtime-files.js';

/** The folder that a worker may write to; it is memory, and gone with the worker. */
export const SCRATCH = '/scratch';
/** Which descriptor bubblewrap reads the system call filter from. */
export const FILTER_DESCRIPTOR = 4;

/** The user that a worker sees itself as, whoever it is outside. */
const INNER_USER = '65534';
/** The program of util-linux that sets limits, and where a sandbox finds it. */
export const HOST_PRLIMIT = '/usr/bin/prlimit';
export const PRLIMIT = path.join(INSIDE, 'bin', 'prlimit');
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom'];

/** What of the host a sandbox is made with. */
export interface SandboxTools {
  readonly bubblewrap: string;
  /** Whether the host lets a sandbox have a /proc of its own. */
  readonly proc: boolean;
  /** By what the kernel can count a sandbox's processes: its own user, or (from 5.14) its user namespace. */
  readonly countsProcesses: 'user' | 'namespace' | undefined;
}

/** What runs in a sandbox and what it may have. */
export interface SandboxPlan {
  readonly files: readonly VisibleFile[];
  readonly command: readonly string[];
  readonly memoryMb: number;
  readonly scratchMb: number;
  /** Set for what starts processes of others: bubblewrap stays its first process and buries those that nobody waits for. */
  readonly reaped?: boolean;
}

/**
 * The command line for a plan: bubblewrap, under the limits of one process. They are set outside of it, so that they
 * hold for its own first process too, whose memory everybody inside may write.
 */
export function sandboxCommand(tools: SandboxTools, plan: SandboxPlan): string[] {
  const scratchBytes = plan.scratchMb * 1024 * 1024;
  const options: ReadonlyArray<readonly string[]> = [
    ['user', 'ipc', 'pid', 'net', 'uts', 'cgroup-try'].map((namespace) => `--unshare-${namespace}`),
    ['--uid', INNER_USER, '--gid', INNER_USER, '--hostname', 'worker'],
    ['--cap-drop', 'ALL', '--new-session', '--die-with-parent', ...(plan.reaped === true ? [] : ['--as-pid-1'])],
    ['--clearenv', '--setenv', 'TZ', 'UTC'],
    plan.files.flatMap(({ from, to }) => ['--ro-bind', from, to]),
    tools.proc ? ['--proc', '/proc'] : [],
    DEVICES.map((name) => path.join('/dev', name)).flatMap((device) => ['--dev-bind', device, device]),
    ['--size', `${scratchBytes}`, '--tmpfs', SCRATCH, '--chdir', SCRATCH],
    ['--remount-ro', '/'],
    ['--seccomp', `${FILTER_DESCRIPTOR}`],
  ];
  const processes = `--nproc=${PROCESSES_MAX}`;
  const limits: readonly string[] = [
    ...(tools.countsProcesses === 'user' ? [processes] : []),
    `--nofile=${OPEN_FILES_MAX}`,
    `--fsize=${scratchBytes}`,
    `--data=${dataBytes(plan.memoryMb)}`,
    '--core=0',
    '--msgqueue=0',
    '--memlock=65536',
  ];
  const inside = tools.countsProcesses === 'namespace' ? [PRLIMIT, processes] : [];
  return [HOST_PRLIMIT, ...limits, tools.bubblewrap, ...options.flat(), '--', ...inside, ...plan.command];
}
