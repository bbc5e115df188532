import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';

/** The programs that the bench runs beside the platform, each in a process of its own. */
export type ProgramName = 'load' | 'upstream' | 'raw' | 'bare' | 'watch';

/** A running program. */
export interface Program {
  readonly pid: number;
  readonly child: ChildProcess;
  stop(): void;
}

/** A program that listens. */
export interface ListeningProgram extends Program {
  readonly port: number;
}

const ENTRY = path.resolve(import.meta.dirname, '../main.js');

/** Starts one of the bench's own programs. */
export async function startProgram(name: ProgramName, ...args: string[]): Promise<Program> {
  const child = fork(ENTRY, ['program', name, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  });
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  return { pid: child.pid ?? 0, child, stop: () => child.kill('SIGKILL') };
}

/** Starts one that listens, and waits for its port. */
export async function startListening(name: ProgramName, ...args: string[]): Promise<ListeningProgram> {
  const program = await startProgram(name, ...args);
  const port = Number(await nextAnswer(program));
  return { ...program, port };
}

/** Tells a program something and waits for its answer. @throws Error when it ends instead */
export function ask(program: Program, message: object | string): Promise<unknown> {
  const answer = nextAnswer(program);
  program.child.send(message);
  return answer;
}

function nextAnswer({ child }: Program): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void =>
      reject(new Error(`a program of the bench ended with ${signal ?? code}: ${child.spawnargs.slice(2).join(' ')}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}
