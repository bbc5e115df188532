import { readFile } from 'node:fs/promises';
import type { AddCommands, Run } from '../commands/command.js';
import { table } from '../output/table.js';
import { visible } from '../output/visible.js';
import { passphraseFor } from '../tenant/passphrase.js';
import { ImportsApi, type SeenImport } from './imports-api.js';

const LISTED = 20;

interface RetryOptions {
  readonly reason: string;
  readonly slug?: string;
  readonly plan?: string;
  readonly homeRegion?: string;
  readonly signedBy?: string;
  readonly passphraseFile?: string;
  readonly privateKeyFile?: string;
}

/** `wharf imports list|show|retry`: for operators, with `WHARF_OPERATOR_KEY`. */
export const addImports: AddCommands = (program, run) => {
  const imports = program
    .command('imports')
    .description('tenants that operators bring in from other installations; with WHARF_URL and WHARF_OPERATOR_KEY');
  imports
    .command('list')
    .description('imports, newest first')
    .action(() => list(run()));
  imports
    .command('show <import>')
    .description('how far one is, and why it failed')
    .action((id: string) => show(run(), id));
  imports
    .command('retry <import>')
    .description('try one that failed again, with what was uploaded; what is left out stays as it was said')
    .requiredOption('--reason <text>', 'why; kept in the platform’s log')
    .option('--slug <slug>', 'what the tenant is called here, where its own is taken')
    .option('--plan <name>', 'its plan here')
    .option('--home-region <region>', 'the region that serves it')
    .option('--signed-by <file>', 'verifier keys that are trusted, one a line')
    .option('--passphrase-file <file>', 'what the archive’s secrets were sealed with; it is not kept between tries')
    .option('--private-key-file <file>', 'the X25519 private key (PEM) that they were sealed for')
    .action((id: string, options: RetryOptions) => retry(run(), id, options));
};

async function list(run: Run): Promise<void> {
  const imports = await new ImportsApi(run.operatorDoor()).list(LISTED);
  const rows = imports.map((one) => [
    one.id,
    stateOf(one),
    one.tenant?.slug ?? one.slug ?? '',
    one.plan,
    one.created_at,
  ]);
  run.output.result({ imports }, table(['ID', 'STATE', 'TENANT', 'PLAN', 'SINCE'], rows).map(visible));
}

async function show(run: Run, id: string): Promise<void> {
  const seen = await new ImportsApi(run.operatorDoor()).get(id);
  run.output.result(seen, importText(seen));
}

async function retry(run: Run, id: string, options: RetryOptions): Promise<void> {
  const { reason, slug, plan, homeRegion, signedBy } = options;
  const seen = await new ImportsApi(run.operatorDoor()).retry(id, {
    reason,
    slug,
    plan,
    home_region: homeRegion,
    signed_by: signedBy === undefined ? undefined : linesOf(await readFile(signedBy, 'utf8')),
    secret: await secretOf(options),
  });
  run.output.result(seen, `It is tried again. See how far it is: wharf imports show ${seen.id}`);
}

async function secretOf({ passphraseFile, privateKeyFile }: RetryOptions): Promise<object | undefined> {
  if (privateKeyFile !== undefined) return { kind: 'private_key', private_key: await readFile(privateKeyFile, 'utf8') };
  return passphraseFile === undefined
    ? undefined
    : { kind: 'passphrase', passphrase: await passphraseFor(passphraseFile) };
}

function linesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => line.trim() || []);
}

function importText(seen: SeenImport): string[] {
  const { id, failure, retry_until: until, tenant, parts, received } = seen;
  return [
    `import   ${id}`,
    `state    ${stateOf(seen)}`,
    `parts    ${received} of ${parts}`,
    ...(tenant === null ? [] : [visible(`tenant   ${tenant.slug} (${tenant.id})`)]),
    ...(failure === null ? [] : [visible(`failed   ${failure}`)]),
    ...(until === null ? [] : [`again    wharf imports retry ${id} --reason …, until ${until}`]),
  ];
}

function stateOf({ state, retry_until: until }: SeenImport): string {
  return until === null ? state : `${state}, can be tried again`;
}
