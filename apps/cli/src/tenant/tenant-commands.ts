import type { AddCommands, Run } from '../commands/command.js';
import { passphraseFor } from './passphrase.js';
import { downloadTo } from './download.js';
import { ExportsApi } from './exports-api.js';

interface ExportOptions {
  readonly out: string;
  readonly passphraseFile?: string;
  readonly publicKey?: string;
  readonly withoutSecrets?: boolean;
}

/** `wharf tenant export` */
export const addTenant: AddCommands = (program, run) => {
  const tenant = program.command('tenant').description('the tenant as a whole');
  tenant
    .command('export')
    .description('everything the tenant owns, in one file; by an owner who is signed in')
    .requiredOption('--out <file>', 'where the archive is written; there must be none yet')
    .option('--passphrase-file <file>', 'what its secrets are sealed with, else typed unseen')
    .option('--public-key <key>', 'an X25519 public key (base64url) that its secrets are sealed for')
    .option('--without-secrets', 'leave secrets out')
    .action((options: ExportOptions) => exportTenant(run(), options));
};

async function exportTenant(run: Run, options: ExportOptions): Promise<void> {
  const secrets = await secretsOf(options);
  const exports = new ExportsApi(await run.session());
  const made = await run.output
    .progress('Making the archive')
    .during(async (progress) => exports.wait(await exports.ask(secrets), (told) => progress.at(told.part)));
  const saved = await run.output.progress(`Downloading ${made.bytes ?? 0} bytes`).during(async (progress) =>
    downloadTo(options.out, await exports.content(made), {
      bytes: made.bytes ?? 0,
      digest: made.digest ?? '',
      onPart: (part) => progress.at(part),
    }),
  );
  run.output.result(
    { export: made.id, file: options.out, ...saved },
    `${options.out} holds the tenant: ${saved.bytes} bytes, SHA-256 ${saved.sha256}, as the installation says.`,
  );
}

async function secretsOf({ passphraseFile, publicKey, withoutSecrets }: ExportOptions): Promise<object> {
  if (withoutSecrets === true) return { kind: 'left_out' };
  if (publicKey !== undefined) return { kind: 'public_key', public_key: publicKey };
  return { kind: 'passphrase', passphrase: await passphraseFor(passphraseFile) };
}
