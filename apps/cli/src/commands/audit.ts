import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { check, Difference } from '../../../../bin/wharf-verify.mjs';
import { CliProblem } from '../problem.js';
import type { Session } from '../session/session.js';
import type { AddCommands, Run } from './command.js';

const keysSchema = z.object({ keys: z.array(z.object({ verifier_key: z.string() })) });
const checkpointsSchema = z.object({ checkpoints: z.array(z.object({ size: z.number(), note: z.string() })) });

interface VerifyOptions {
  readonly checkpoint?: readonly string[];
  readonly acceptKey?: boolean;
}

const EXPORT_MS = 3_600_000;

/** `wharf audit verify` */
export const addAudit: AddCommands = (program, run) => {
  program
    .command('audit')
    .description('the log of everything that happened')
    .command('verify')
    .description('prove that the log is complete and untampered since the last time, and keep its newest checkpoint')
    .option('--checkpoint <file...>', 'checkpoints that you kept elsewhere')
    .option('--accept-key', 'believe keys that the server names for the first time')
    .action((options: VerifyOptions) => verify(run(), options));
};

async function verify(run: Run, { checkpoint: given = [], acceptKey = false }: VerifyOptions): Promise<void> {
  const session = await run.session();
  const kept = path.join(run.surroundings.folder, 'checkpoints', placeOf(session));
  await mkdir(kept, { recursive: true, mode: 0o700 });
  const scratch = await mkdtemp(path.join(tmpdir(), 'wharf-audit-'));
  try {
    const newest = await newestCheckpoint(session);
    const candidate = path.join(scratch, 'newest.checkpoint');
    await writeFile(candidate, newest.note);
    const keyFile = await trustedKeys(session, kept, acceptKey);
    const before = (await readdir(kept)).filter(isCheckpoint).map((name) => path.join(kept, name));
    const exported = await run.output
      .progress(`Reading ${newest.size} records`)
      .during((progress) => readExport(session, newest.size, path.join(scratch, 'export.ndjson'), progress));
    const agrees = await check([keyFile, exported, ...before, ...given, candidate]);
    const file = path.join(kept, `${String(newest.size).padStart(12, '0')}.checkpoint`);
    await writeFile(file, newest.note);
    run.output.result({ verified: true, records: newest.size, checkpoint: file }, [
      agrees,
      `The newest checkpoint is kept in ${file}`,
    ]);
  } catch (error) {
    if (!(error instanceof Difference)) throw error;
    run.output.result({ verified: false, difference: error.message }, `DIFFERENT ${error.message}`);
    process.exitCode = 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function placeOf({ profile }: Session): string {
  return path.join(new URL(profile.url).host.replace(':', '_'), profile.tenant);
}

function isCheckpoint(file: string): boolean {
  return file.endsWith('.checkpoint');
}

async function newestCheckpoint(session: Session): Promise<{ readonly size: number; readonly note: string }> {
  const asked = { method: 'GET', path: '/v1/audit/checkpoints?limit=1' } as const;
  const [newest] = (await (await session.door()).ask(asked, checkpointsSchema)).checkpoints;
  if (newest === undefined)
    throw new CliProblem('The log has no checkpoint yet.', 'There is one each minute; try again.');
  return newest;
}

/**
 * The keys that checkpoints are believed by: those that were seen first, for a server that changed the log could also
 * hand out a new key.
 */
async function trustedKeys(session: Session, kept: string, acceptNew: boolean): Promise<string> {
  const file = path.join(kept, 'keys');
  const known = await readFile(file, 'utf8').then(
    (text) => text.trim().split('\n'),
    () => undefined,
  );
  if (known !== undefined && !acceptNew) return file;
  const { keys } = await (await session.door()).ask({ method: 'GET', path: '/v1/audit/keys' }, keysSchema);
  const offered = keys.map(({ verifier_key: key }) => key);
  await writeFile(file, `${[...new Set([...(known ?? []), ...offered])].join('\n')}\n`, { mode: 0o600 });
  return file;
}

/** The first `size` records, a line each. */
async function readExport(
  session: Session,
  size: number,
  file: string,
  progress: { at(part: number): void },
): Promise<string> {
  const answer = await fetch(`${session.profile.url}/v1/audit/export`, {
    headers: { authorization: `Bearer ${await session.managementBearer()}` },
    signal: AbortSignal.timeout(EXPORT_MS),
  });
  if (!answer.ok || answer.body === null) throw new CliProblem(`The export was refused with ${answer.status}.`);
  const target = createWriteStream(file);
  let records = 0;
  for await (const line of createInterface({ input: Readable.fromWeb(answer.body as never) })) {
    if (records === size) break;
    if (!target.write(`${line}\n`)) await once(target, 'drain');
    // What the plan no longer keeps here is in archives; the first line says how much that is.
    records = records === 0 ? firstLeafOf(line) : records + 1;
    progress.at(records / size);
  }
  target.end();
  await once(target, 'finish');
  return file;
}

/** How many records are counted once an export's first line is read. */
function firstLeafOf(line: string): number {
  const head = z.object({ tree: z.object({ first_leaf: z.number() }) }).safeParse(JSON.parse(line));
  return head.success ? head.data.tree.first_leaf : 1;
}
