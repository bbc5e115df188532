import path from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { MODERN } from '../peer/client-peer.js';
import type { Negotiation } from '../peer/open-client.js';
import type { Peer } from '../peer/peer.js';

/** Which program is started with what. */
export interface StdioCommand {
  /** Where it is unpacked. */
  readonly folder: string;
  /** Path of its module below the folder. */
  readonly entryPoint: string;
  /** A folder of this process's own, made and removed with it. */
  readonly home: string;
  readonly args: readonly string[];
  /** Whether there is a secret in `args`, which the command line would show to others. */
  readonly argsAreSecret: boolean;
  readonly env: Readonly<Record<string, string>>;
}

const PROBE_MS = 5_000;
const MIB = 1024 * 1024;
/** Where arguments are that must not stand on the command line, and what puts them in their place. */
const ARGUMENTS = 'WHARF_ARGUMENTS';
/** Threads and processes that the server starts run this too, and find nothing. */
const TAKE_ARGUMENTS = `data:text/javascript,process.argv.push(...JSON.parse(process.env.${ARGUMENTS}??'[]'));delete process.env.${ARGUMENTS}`;

/** The process of a server, not yet started: always Node with the server's module, never a program of its choice. */
export function transportOf({
  folder,
  entryPoint,
  home,
  args,
  argsAreSecret,
  env,
}: StdioCommand): StdioClientTransport {
  const heapMb = Math.floor(getHeapStatistics().heap_size_limit / MIB / 2);
  // The sandbox is the wall; these keep the server's own files as they were packed.
  const permissions = [
    '--permission',
    '--disable-warning=SecurityWarning',
    '--allow-child-process',
    '--allow-worker',
    '--allow-addons',
    '--allow-wasi',
    `--allow-fs-read=${folder}`,
    `--allow-fs-read=${home}`,
    `--allow-fs-write=${home}`,
  ];
  const hidden = argsAreSecret ? { [ARGUMENTS]: JSON.stringify(args) } : {};
  const taken = argsAreSecret ? ['--import', TAKE_ARGUMENTS] : [];
  return new StdioClientTransport({
    command: process.execPath,
    args: [
      ...permissions,
      `--max-old-space-size=${heapMb}`,
      ...taken,
      path.join(folder, entryPoint),
      ...(argsAreSecret ? [] : args),
    ],
    env: { ...env, ...hidden, TZ: 'UTC', HOME: home, TMPDIR: home },
    cwd: home,
    stderr: 'pipe',
  });
}

/** How to agree on a protocol version: as pinned, else by asking. */
export function negotiationOf(era: Peer['era'] | undefined): Negotiation {
  if (era === 'modern') return { mode: { pin: MODERN } };
  return era === 'legacy' ? { mode: 'legacy' } : { mode: 'auto', probe: { timeoutMs: PROBE_MS } };
}
