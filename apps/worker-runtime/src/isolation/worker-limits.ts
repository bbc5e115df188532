const MIB = 1024 * 1024;

/** Processes and threads of one worker; a runner has eleven threads. */
export const PROCESSES_MAX = 128;
/** What the unpacked files of bundles take of a worker's scratch folder and memory, on top of what it has. */
export const BUNDLES_MB = 100;
/** Open files of one process. */
export const OPEN_FILES_MAX = 1_024;
/** Files in a worker's scratch folder; each is memory, however empty. */
export const SCRATCH_FILES_MAX = 50_000;
/** What V8 sets aside in every process and mostly never touches (its code range), with thread stacks. */
const RESERVED_BYTES = 640 * MIB;
const HEAP_SHARE = 0.75;

/** Bytes that a worker's processes may hold together. */
export function memoryBytes(memoryMb: number): number {
  return memoryMb * MIB;
}

/** The JavaScript heap of a worker: the rest is for buffers, compiled code and stacks. */
export function heapMb(memoryMb: number): number {
  return Math.floor(memoryMb * HEAP_SHARE);
}

/** Private memory that one process may ask for; the kernel refuses more at once, before anybody looks. */
export function dataBytes(memoryMb: number): number {
  return RESERVED_BYTES + 2 * memoryBytes(memoryMb);
}

/**
 * How a runner's V8 runs. It collects all when it rests, and young garbage on its own thread alone: what a call leaves is
 * collected sooner than helping threads are woken.
 */
export const RUNNER_V8_FLAGS = ['--expose-gc', '--no-parallel-scavenge'];

/** What Node's permission model lets a runner do that serves bundles; `folder` is its own. */
export function bundleFlags(folder: string): string[] {
  return [
    '--disable-warning=SecurityWarning',
    '--allow-child-process',
    '--allow-fs-read=/proc', // to find and end what servers have started
    `--allow-fs-read=${folder}`,
    `--allow-fs-write=${folder}`,
  ];
}

/** Tells a runner that serves bundles how long it keeps a server's process that nobody calls. */
export function idleArgument({ serverIdleMs }: { readonly serverIdleMs?: number }): string[] {
  return serverIdleMs === undefined ? [] : [`server-idle-ms=${serverIdleMs}`];
}

/** Tells a runner that all processes that it can see are its own. */
export const ALONE = 'alone';
