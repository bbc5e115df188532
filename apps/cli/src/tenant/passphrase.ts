import { readFile } from 'node:fs/promises';
import { readUnseen } from '../output/unseen.js';
import { CliProblem } from '../problem.js';

const LENGTH_MIN = 16;

/** The passphrase in a file, from standard input, or typed unseen. @throws CliProblem for one that is too short */
export async function passphraseFor(file: string | undefined): Promise<string> {
  const text = file === undefined ? await readUnseen('Passphrase of the archive') : await readFile(file, 'utf8');
  const passphrase = text.replace(/\r?\n$/, '');
  if (passphrase.length >= LENGTH_MIN) return passphrase;
  throw new CliProblem(
    `The passphrase has fewer than ${LENGTH_MIN} characters.`,
    'Whoever knows it reads the tenant’s secrets: choose a longer one, or leave secrets out (--without-secrets).',
  );
}
