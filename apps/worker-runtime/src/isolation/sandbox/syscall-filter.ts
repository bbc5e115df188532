/**
 * What a worker may not ask of the kernel: system calls as [name, number on x64, number on arm64]. They are what
 * escapes are made of (namespaces, mounts, tracing, keys, kernel programs), or hold memory that no limit sees.
 */
const REFUSED: ReadonlyArray<readonly [name: string, x64: number | undefined, arm64: number | undefined]> = [
  // Other processes.
  ['ptrace', 101, 117],
  ['process_vm_readv', 310, 270],
  ['process_vm_writev', 311, 271],
  ['kcmp', 312, 272],
  ['pidfd_getfd', 438, 438],
  // Namespaces and mounts.
  ['unshare', 272, 97],
  ['setns', 308, 268],
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['pivot_root', 155, 41],
  ['chroot', 161, 51],
  ['open_tree', 428, 428],
  ['move_mount', 429, 429],
  ['fsopen', 430, 430],
  ['fsconfig', 431, 431],
  ['fsmount', 432, 432],
  ['fspick', 433, 433],
  ['mount_setattr', 442, 442],
  ['name_to_handle_at', 303, 264],
  ['open_by_handle_at', 304, 265],
  // Wide doors into the kernel.
  ['bpf', 321, 280],
  ['perf_event_open', 298, 241],
  ['userfaultfd', 323, 282],
  ['io_uring_setup', 425, 425],
  ['io_uring_enter', 426, 426],
  ['io_uring_register', 427, 427],
  ['io_setup', 206, 0], // contexts are counted for the whole machine
  ['fanotify_init', 300, 262],
  ['lookup_dcookie', 212, 18],
  ['modify_ldt', 154, undefined],
  ['iopl', 172, undefined],
  ['ioperm', 173, undefined],
  ['uselib', 134, undefined],
  ['personality', 135, 92],
  // Keys, which are not in any namespace.
  ['add_key', 248, 217],
  ['request_key', 249, 218],
  ['keyctl', 250, 219],
  // Memory that belongs to no process.
  ['memfd_create', 319, 279],
  ['memfd_secret', 447, 447],
  ['shmget', 29, 194],
  ['msgget', 68, 186],
  ['semget', 64, 190],
  ['mq_open', 240, 180],
  ['mbind', 237, 235],
  ['set_mempolicy', 238, 237],
  ['migrate_pages', 256, 238],
  ['move_pages', 279, 239],
  ['cachestat', 451, 451],
  // The machine.
  ['init_module', 175, 105],
  ['finit_module', 313, 273],
  ['delete_module', 176, 106],
  ['kexec_load', 246, 104],
  ['kexec_file_load', 320, 294],
  ['reboot', 169, 142],
  ['swapon', 167, 224],
  ['swapoff', 168, 225],
  ['syslog', 103, 116],
  ['acct', 163, 89],
  ['quotactl', 179, 60],
  ['quotactl_fd', 443, 443],
  ['settimeofday', 164, 170],
  ['clock_settime', 227, 112],
  ['adjtimex', 159, 171],
  ['clock_adjtime', 305, 266],
  ['vhangup', 153, 58],
  ['sethostname', 170, 161],
  ['setdomainname', 171, 162],
];

const MACHINES = {
  x64: { audit: 0xc000_003e, clone: 56, clone3: 435, socket: 41 },
  arm64: { audit: 0xc000_00b7, clone: 220, clone3: 435, socket: 198 },
} as const;

/** unix, inet, inet6, netlink (libraries list interfaces with it); a namespace holds these, not vsock and its like. */
const SOCKET_FAMILIES = [1, 2, 10, 16];
/** Every CLONE_NEW* flag that `clone` takes. */
const NEW_NAMESPACES = 0x7e02_0000;
/** The first number, on both, that was given to a call after this list was made. */
const UNKNOWN = 453;

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

// One instruction is { u16 code, u8 jump if true, u8 jump if false, u32 k } (linux/filter.h).
const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;
// Places in struct seccomp_data (linux/seccomp.h).
const NUMBER = 0;
const MACHINE = 4;
const FIRST_ARGUMENT = 16;

const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const fails = (errno: number): number => 0x0005_0000 + errno;

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number];

const load = (place: number): Instruction => [LOAD, 0, 0, place];
const answer = (action: number): Instruction => [RETURN, 0, 0, action];
/** Goes on with the next `count` instructions when it holds, else jumps over them. */
const when = (test: number, k: number, count = 1): Instruction => [test, 0, count, k];

/** Whether there is a filter for this kind of processor. */
export function isFilterable(architecture: string): architecture is keyof typeof MACHINES {
  return Object.hasOwn(MACHINES, architecture);
}

/** The seccomp program for a processor, as the bytes that bubblewrap loads. */
export function syscallFilter(architecture: keyof typeof MACHINES): Buffer {
  const { audit, clone, clone3, socket } = MACHINES[architecture];
  const refused = REFUSED.map(([, x64, arm64]) => (architecture === 'x64' ? x64 : arm64)).filter(
    (number) => number !== undefined,
  );
  const program: readonly Instruction[] = [
    load(MACHINE),
    [IF_EQUAL, 1, 0, audit],
    answer(KILL),
    load(NUMBER),
    // What nobody has judged yet is not there; libraries then do without. x64 has x32's calls up there too.
    when(IF_AT_LEAST, UNKNOWN),
    answer(fails(ENOSYS)),
    ...refused.flatMap((number) => [when(IF_EQUAL, number), answer(fails(EPERM))]),
    // Its flags are in memory, where no filter can look: without it, libraries use clone.
    when(IF_EQUAL, clone3),
    answer(fails(ENOSYS)),
    when(IF_EQUAL, clone, 4),
    load(FIRST_ARGUMENT),
    when(IF_ANY_BIT, NEW_NAMESPACES),
    answer(fails(EPERM)),
    answer(ALLOW),
    when(IF_EQUAL, socket, 2 * SOCKET_FAMILIES.length + 2),
    load(FIRST_ARGUMENT),
    ...SOCKET_FAMILIES.flatMap((family) => [when(IF_EQUAL, family), answer(ALLOW)]),
    answer(fails(EAFNOSUPPORT)),
    answer(ALLOW),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, jumpTrue, jumpFalse, k]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(k, index * 8 + 4);
  }
  return bytes;
}
