import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { processEnvironment } from '#libs/config';
import { ArchiveError } from '#libs/tenant-archive';
import { parseLocalConfig } from '../config.js';
import { provideTarget } from '../target.js';
import { importTenant } from './import-tenant.js';

const USAGE =
  'Use: npm run import -- --from ARCHIVE --signed-by KEY_FILE [--slug NEW_SLUG] [--passphrase-file FILE | --private-key-file FILE]';

/** What precedes the 32 bytes of a key in a verifier key (C2SP signed-note). */
const ED25519 = 1;

/** The keys in a file of verifier keys, one a line, as `wharf-verify` takes it. */
async function trustedKeys(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const bytes = Buffer.from(/^[^\s+]+\+[0-9a-f]{8}\+(\S+)$/.exec(line.trim())?.[1] ?? '', 'base64');
    if (bytes.length !== 33 || bytes[0] !== ED25519)
      throw new ArchiveError(
        `${file} holds a line that is no verifier key; it has one a line, as GET /v1/audit/keys gives them.`,
      );
    return bytes.subarray(1).toString('base64url');
  });
}

async function secretOf(passphraseFile?: string, privateKeyFile?: string): Promise<string | KeyObject | undefined> {
  if (passphraseFile !== undefined) return (await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, '');
  if (privateKeyFile === undefined) return undefined;
  return createPrivateKey(await readFile(privateKeyFile, 'utf8'));
}

/** `npm run import`: brings a tenant out of its archive into this installation, while it runs or not. */
try {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      from: option,
      'signed-by': option,
      slug: option,
      'passphrase-file': option,
      'private-key-file': option,
    },
  });
  const { from: file, 'signed-by': signedBy, slug } = values;
  if (file === undefined || signedBy === undefined) throw new ArchiveError(USAGE);
  await using stack = new AsyncDisposableStack();
  const target = await provideTarget(parseLocalConfig(processEnvironment()), stack);
  const imported = await importTenant({
    ...target,
    file,
    slug,
    trusted: await trustedKeys(signedBy),
    secret: await secretOf(values['passphrase-file'], values['private-key-file']),
  });
  const rows = Object.values(imported.rows).reduce((sum, count) => sum + count, 0);
  process.stdout.write(
    `Imported the tenant ${imported.slug} (${imported.tenantId}) of ${imported.manifest.source}: ${rows} rows, ${imported.manifest.files.length} files.\n`,
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
