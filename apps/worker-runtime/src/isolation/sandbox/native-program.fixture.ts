/**
 * Small native programs for x64 Linux, so that tests make system calls that Node offers no way to make, and fork faster
 * than it can. Each is one read-and-execute segment after the ELF header.
 */
const BASE = 0x40_0000;
const HEADERS = 64 + 56;

const CALL = { fork: 57, exit: 60, setsid: 112, pause: 34 } as const;
const RAX = 0xb8;
const ARGUMENTS = [0xbf, 0xbe, 0xba] as const; // mov edi/esi/edx, imm32
const SYSCALL = Buffer.from([0x0f, 0x05]);

function move(register: number, value: number): Buffer {
  const code = Buffer.alloc(5);
  code.writeUInt8(register);
  code.writeUInt32LE(value >>> 0, 1);
  return code;
}

function call(number: number, ...values: readonly number[]): Buffer {
  const registers = values.map((value, index) => move(ARGUMENTS[index] ?? RAX, value));
  return Buffer.concat([...registers, move(RAX, number), SYSCALL]);
}

function executable(code: Buffer): Buffer {
  const header = Buffer.alloc(HEADERS);
  header.write('\u007fELF\u0002\u0001\u0001', 'latin1');
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(62, 18); // x86-64
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(BASE + HEADERS), 24); // entry
  header.writeBigUInt64LE(64n, 32); // program headers
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64); // to load
  header.writeUInt32LE(5, 68); // read and execute
  header.writeBigUInt64LE(BigInt(BASE), 80);
  header.writeBigUInt64LE(BigInt(BASE), 88);
  header.writeBigUInt64LE(BigInt(HEADERS + code.length), 96);
  header.writeBigUInt64LE(BigInt(HEADERS + code.length), 104);
  header.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([header, code]);
}

/** Makes one system call and exits with its errno; with 0 when it was allowed. */
export function callingProgram(number: number, ...values: readonly number[]): Buffer {
  const negate = Buffer.from([0x89, 0xc7, 0xf7, 0xdf]); // mov edi, eax; neg edi
  const positive = Buffer.from([0x79, 0x02, 0x31, 0xff]); // jns +2; xor edi, edi: what was no error is 0
  return executable(Buffer.concat([call(number, ...values), negate, positive, move(RAX, CALL.exit), SYSCALL]));
}

/** Forks for ever, in every child too. */
export function forkBomb(): Buffer {
  const code = call(CALL.fork);
  return executable(Buffer.concat([code, Buffer.from([0xeb, 0x100 - code.length - 2])]));
}

/** Leaves the session it was started in and waits to be ended. */
export function hidingProgram(): Buffer {
  const wait = call(CALL.pause);
  return executable(Buffer.concat([call(CALL.setsid), wait, Buffer.from([0xeb, 0x100 - wait.length - 2])]));
}
