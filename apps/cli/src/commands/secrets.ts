import type { Command } from 'commander';
import { z } from 'zod';
import { queryOf } from '#libs/journey';
import { table } from '../output/table.js';
import { readUnseen } from '../output/unseen.js';
import { CliProblem } from '../problem.js';
import type { AddCommands, Run } from './command.js';

const secretsSchema = z.object({
  secrets: z.array(z.object({ name: z.string(), version: z.number(), updated_at: z.string() })),
});

/** `wharf secrets set|list|versions|restore|delete-version|delete`. A value is never an argument: those show in the process list and in the shell's history. */
export const addSecrets: AddCommands = (program, run) => {
  const secrets = program.command('secrets').description('values that the platform adds to tools’ requests');
  const add = (usage: string, description: string): Command =>
    secrets
      .command(usage)
      .description(description)
      .option('--environment <name>', 'of this environment of your servers', 'production');
  add('set <name>', 'store a value, read from standard input or typed unseen').action((name: string, where: Where) =>
    set(run(), name, where),
  );
  add('list', 'names and versions; values are never shown').action((where: Where) => list(run(), where));
  add('versions <name>', 'the versions of one that are kept').action((name: string, where: Where) =>
    listVersions(run(), name, where),
  );
  add('restore <name> <version>', 'use the value of an earlier version again').action(
    (name: string, version: string, where: Where) => restore(run(), { name, version }, where),
  );
  add('delete-version <name> <version>', 'delete an earlier version, so that nobody restores it').action(
    (name: string, version: string, where: Where) => removeVersion(run(), { name, version }, where),
  );
  add('delete <name>', 'delete a value with all its versions').action((name: string, where: Where) =>
    remove(run(), name, where),
  );
};

const versionSchema = z.object({
  version: z.number(),
  current: z.boolean(),
  created_at: z.string(),
  created_by: z.looseObject({ kind: z.string(), id: z.string().optional() }).nullable(),
  key_id: z.string(),
  restored_from: z.number().nullable(),
});
const versionsSchema = z.object({ versions: z.array(versionSchema) });
const restoredSchema = z.object({ name: z.string(), environment: z.string(), version: z.number() });

interface Version {
  readonly name: string;
  readonly version: string;
}

interface Where {
  readonly environment: string;
}

async function set(run: Run, name: string, { environment }: Where): Promise<void> {
  const value = await readUnseen(`Value of ${name}`);
  if (value === '') throw new CliProblem('The value is empty.', `Pipe it in: wharf secrets set ${name} <file`);
  const stored = await (await (await run.session()).api()).putSecret(name, value, environment);
  run.output.result(stored, `${stored.name} is stored as version ${stored.version}.`);
}

async function list(run: Run, where: Where): Promise<void> {
  const door = await (await run.session()).door();
  const { secrets } = await door.ask({ method: 'GET', path: `/v1/secrets${queryOf({ ...where })}` }, secretsSchema);
  const rows = secrets.map(({ name, version, updated_at: at }) => [name, String(version), at]);
  run.output.result({ secrets }, table(['NAME', 'VERSION', 'UPDATED'], rows));
}

async function listVersions(run: Run, name: string, where: Where): Promise<void> {
  const door = await (await run.session()).door();
  const path = `/v1/secrets/${encodeURIComponent(name)}/versions${queryOf({ ...where })}`;
  const { versions } = await door.ask({ method: 'GET', path }, versionsSchema);
  const rows = versions.map(
    ({ version, current, restored_from: from, created_at: at, created_by: by, key_id: key }) => [
      String(version),
      [...(current ? ['in use'] : []), ...(from === null ? [] : [`as ${from}`])].join(', '),
      at,
      by === null ? '' : [by.kind, by.id ?? ''].join(' '),
      key,
    ],
  );
  run.output.result({ versions }, table(['VERSION', 'STATE', 'WRITTEN', 'BY', 'KEY'], rows));
}

async function restore(run: Run, { name, version }: Version, where: Where): Promise<void> {
  const door = await (await run.session()).door();
  const path = `${pathOf({ name, version })}/restore${queryOf({ ...where })}`;
  const restored = await door.ask({ method: 'POST', path }, restoredSchema);
  run.output.result(restored, `${name} has the value of version ${version} again, as version ${restored.version}.`);
}

async function removeVersion(run: Run, { name, version }: Version, where: Where): Promise<void> {
  const door = await (await run.session()).door();
  await door.send({ method: 'DELETE', path: `${pathOf({ name, version })}${queryOf({ ...where })}` });
  run.output.result({ name, version: Number(version) }, `Version ${version} of ${name} is deleted.`);
}

function pathOf({ name, version }: Version): string {
  return `/v1/secrets/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`;
}

async function remove(run: Run, name: string, where: Where): Promise<void> {
  const door = await (await run.session()).door();
  await door.send({ method: 'DELETE', path: `/v1/secrets/${encodeURIComponent(name)}${queryOf({ ...where })}` });
  run.output.result({ name }, `${name} is deleted.`);
}
