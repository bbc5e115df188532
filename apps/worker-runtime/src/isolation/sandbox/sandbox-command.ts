import path from 'node:path';
import { dataBytes, OPEN_FILES_MAX, PROCESSES_MAX } from '../worker-limits.js';
import { INSIDE, type VisibleFile } from './runtime-files.js';

/** The folder that a worker may write to; it is memory, and gone with the worker. */
export const SCRATCH = '/scratch';
/** Which descriptor bubblewrap reads the system call filter from. */
export const FILTER_DESCRIPTOR = 4;

/** The user that a worker sees itself as, whoever it is outside. */
const INNER_USER = '65534';
/** Where a sandbox finds the program that sets its limits. */
export const PRLIMIT = path.join(INSIDE, 'bin', 'prlimit');
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom'];

/** What of the host a sandbox is made with. */
export interface SandboxTools {
  readonly bubblewrap: string;
  /** Whether the host lets a sandbox have a /proc of its own. */
  readonly proc: boolean;
  /** Whether the kernel counts processes for each sandbox (from 5.14), or workers have users of their own. */
  readonly countsProcesses: boolean;
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

/** The command line of bubblewrap for a plan. */
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
  const limits: readonly string[] = [
    ...(tools.countsProcesses ? [`--nproc=${PROCESSES_MAX}`] : []),
    `--nofile=${OPEN_FILES_MAX}`,
    `--fsize=${scratchBytes}`,
    `--data=${dataBytes(plan.memoryMb)}`,
    '--core=0',
    '--msgqueue=0',
    '--memlock=65536',
  ];
  return [tools.bubblewrap, ...options.flat(), '--', PRLIMIT, ...limits, ...plan.command];
}
