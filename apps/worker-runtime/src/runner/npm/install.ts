import { spawn } from 'node:child_process';
import path from 'node:path';
import { z } from 'zod';
import { AppError } from '#libs/errors';
import type { InstallOrder } from '../../installer/install-package.js';
import { at, type Problems } from '../build-checks/problems.js';
import { Outlet } from '../stdio/outlet.js';

const INSTALLER = path.resolve(import.meta.dirname, '../../installer/main.js');
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

const installedSchema = z.object({
  kind: z.literal('installed'),
  version: z.string(),
  integrity: z.string(),
  entryPoint: z.string(),
  mcpName: z.string().optional(),
  integrities: z.record(z.string(), z.string()),
});
const answerSchema = z.discriminatedUnion('kind', [
  installedSchema,
  z.object({
    kind: z.literal('refused'),
    problems: z.array(z.object({ location: z.string().optional(), message: z.string() })),
  }),
  z.object({ kind: z.literal('unreachable') }),
]);

/** An installed package, as the installer tells of it. */
export type Installed = z.infer<typeof installedSchema>;

/**
 * Installs a package in a process of its own, whose only way out is the outlet, which is closed when it has ended: what
 * is started afterwards has no way to the registry. @throws AppError unprocessable with what is wrong; unavailable
 */
export async function installed(
  problems: Problems,
  place: string,
  order: Omit<InstallOrder, 'proxyUrl'>,
): Promise<Installed> {
  const outlet = new Outlet(() => undefined);
  try {
    const { HTTPS_PROXY: proxyUrl } = await outlet.environmentFor('registry', []);
    const answer = answerSchema.parse(JSON.parse(await run({ ...order, proxyUrl })));
    if (answer.kind === 'installed') return answer;
    if (answer.kind === 'unreachable')
      throw new AppError('unavailable', {
        message: 'The registry of packages gave no answer. Try again later.',
        retryAfterSeconds: 10,
      });
    for (const { location, message } of answer.problems)
      problems.add(location === undefined ? place : at(place, ...location.split('/')), message);
    problems.refuse();
    throw new Error('a refusal has a problem');
  } finally {
    outlet.close();
  }
}

/** What the installer prints. It may write to the worker's folder only, and starts nothing. */
function run(order: InstallOrder): Promise<string> {
  const folder = process.cwd();
  const permissions = [
    '--permission',
    '--disable-warning=SecurityWarning',
    '--allow-fs-read=*',
    `--allow-fs-write=${folder}`,
  ];
  const child = spawn(process.execPath, [...permissions, INSTALLER, JSON.stringify(order)], {
    cwd: folder,
    env: { HOME: folder, TMPDIR: folder, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.length > ANSWER_BYTES_MAX) child.kill('SIGKILL');
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(printed);
      else reject(new Error(`the installer ended with ${String(code)}`));
    });
  });
}
