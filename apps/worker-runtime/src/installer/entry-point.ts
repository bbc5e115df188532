import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { InstallFault } from './install-fault.js';

const packageSchema = z.object({
  bin: z.union([z.string().max(1_024), z.record(z.string(), z.string().max(1_024))]).optional(),
  mcpName: z.string().max(256).optional(),
});

const HEAD_BYTES = 256;
const MODULE = /\.[cm]?js$/;
const NODE_SHEBANG = /^#!.*\bnode\b/;

/** What the package that was asked for says of itself. */
export interface EntryPoint {
  /** Path of the module that is the server, below the installed package. */
  readonly file: string;
  /** Its name in the MCP registry, which shows that a `server.json` and it belong together. */
  readonly mcpName: string | undefined;
}

/** The program of an installed package, which must be a Node module: npx would start the same. @throws InstallFault */
export async function entryPointOf(folder: string, packageName: string): Promise<EntryPoint> {
  const parsed = packageSchema.safeParse(JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')));
  if (!parsed.success) throw fault('Its package.json cannot be read: "bin" must be a path, or paths by name.');
  const { bin, mcpName } = parsed.data;
  const file = path.posix.normalize(chosen(bin, packageName));
  if (path.posix.isAbsolute(file) || file.split('/').includes('..') || file.includes('\0'))
    throw fault(`Its program ${JSON.stringify(file.slice(0, 200))} leads out of the package.`);
  const found = await stat(path.join(folder, file)).catch(() => undefined);
  if (found?.isFile() !== true) throw fault(`Its program ${JSON.stringify(file.slice(0, 200))} is not in the package.`);
  if (!(await isModule(path.join(folder, file))))
    throw fault(`Its program ${JSON.stringify(file.slice(0, 200))} is no Node module, and nothing else is run here.`);
  return { file, mcpName };
}

/** The only program, or the one that is named as the package (npm, "npx", "Description"). */
function chosen(bin: z.infer<typeof packageSchema>['bin'], packageName: string): string {
  if (typeof bin === 'string') return bin;
  const programs = Object.entries(bin ?? {});
  const files = new Set(programs.map(([, file]) => file));
  const [only] = files;
  if (only === undefined) throw fault('It has no program ("bin" in its package.json), so there is nothing to start.');
  if (files.size === 1) return only;
  const own = packageName.slice(packageName.indexOf('/') + 1);
  const named = programs.find(([name]) => name === own)?.[1];
  if (named !== undefined) return named;
  const names = programs
    .map(([name]) => name)
    .join(', ')
    .slice(0, 200);
  throw fault(`It has several programs (${names}), and none is named ${JSON.stringify(own.slice(0, 200))}.`);
}

async function isModule(file: string): Promise<boolean> {
  const opened = await open(file);
  try {
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead).toString('latin1');
    if (head.includes('\0')) return false;
    const shebang = head.startsWith('#!');
    return shebang
      ? NODE_SHEBANG.test(head.split('\n', 1)[0] ?? '')
      : MODULE.test(file) || !path.basename(file).includes('.');
  } finally {
    await opened.close();
  }
}

function fault(message: string): InstallFault {
  return new InstallFault([{ message }]);
}
