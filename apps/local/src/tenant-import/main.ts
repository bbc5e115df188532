import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { processEnvironment } from '#libs/config';
import { isIdShaped } from '#libs/database';
import { ArchiveError } from '#libs/tenant-archive';
import { ArchiveReader, readVerifierKey, type Imported } from '#libs/tenant-import';
import { withMasterKeys } from '#libs/root-keys';
import { parseLocalConfig, type LocalConfig } from '../config.js';
import { provideTarget } from '../target.js';
import { noteFolder, withSchema } from './import-target.js';
import { importTenant } from './import-tenant.js';

const USAGE =
  'Use: npm run import -- --from ARCHIVE --signed-by KEY_FILE [--slug NEW_SLUG] [--plan PLAN] [--home-region REGION] ' +
  '[--passphrase-file FILE | --private-key-file FILE]';

/** The keys in a file of verifier keys, one a line, as `wharf-verify` takes it. */
async function trustedKeys(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const key = readVerifierKey(line);
    if (key === undefined)
      throw new ArchiveError(
        `${file} holds a line that is no verifier key; it has one a line, as GET /v1/audit/keys gives them.`,
      );
    return key;
  });
}

async function secretOf(passphraseFile?: string, privateKeyFile?: string): Promise<string | KeyObject | undefined> {
  if (passphraseFile !== undefined) return (await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, '');
  if (privateKeyFile === undefined) return undefined;
  return createPrivateKey(await readFile(privateKeyFile, 'utf8'));
}

/** Brings the tenant in; where that fails, a data folder is as it was found. */
async function bringIn(
  config: LocalConfig,
  reader: ArchiveReader,
  choices: Parameters<typeof importTenant>[2],
): Promise<Imported> {
  const isFolderUsed = config.DATABASE_URL === undefined || config.WHARF_MASTER_KEY === undefined;
  const undo = isFolderUsed ? noteFolder(config.dataDir) : () => undefined;
  try {
    await using stack = new AsyncDisposableStack();
    stack.defer(() => reader.close());
    const target = await provideTarget(config, stack);
    return await withSchema(target, () => importTenant(target, reader, choices));
  } catch (error) {
    undo();
    throw error;
  }
}

/** `npm run import`: brings a tenant out of its archive into this installation; a data folder must be free for it. */
try {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      from: option,
      'signed-by': option,
      slug: option,
      plan: option,
      'home-region': option,
      'passphrase-file': option,
      'private-key-file': option,
    },
  });
  const { from: file, 'signed-by': signedBy, slug, plan = 'free', 'home-region': homeRegion = null } = values;
  if (file === undefined || signedBy === undefined) throw new ArchiveError(USAGE);
  if (slug !== undefined && isIdShaped(slug))
    throw new ArchiveError('--slug is written like an id and would be mistaken for one. Name another one.');
  const config = parseLocalConfig(await withMasterKeys(processEnvironment()));
  // What can be wrong with the archive or its secret is found before anything is made for it.
  const secret = await secretOf(values['passphrase-file'], values['private-key-file']);
  const reader = await ArchiveReader.open({ path: file }, await trustedKeys(signedBy));
  const imported = await bringIn(config, reader, { secret, slug, plan, homeRegion });
  const rows = Object.values(imported.rows).reduce((sum, count) => sum + count, 0);
  process.stdout.write(
    `Imported the tenant ${imported.slug} (${imported.tenantId}) of ${imported.manifest.source}: ${rows} rows, ${imported.manifest.files.length} files.\n`,
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
