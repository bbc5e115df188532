import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Option } from 'commander';
import { MANIFEST_FILE } from '../deploy/manifest.js';
import { CliProblem } from '../problem.js';
import type { AddCommands, Run } from './command.js';

const SOURCES: Readonly<Record<string, unknown>> = {
  openapi: { kind: 'openapi', document: 'openapi.yaml', baseUrl: 'https://api.example.com' },
  http: {
    kind: 'http',
    tools: [
      {
        name: 'get_repository',
        description: 'What GitHub says about a repository.',
        inputSchema: {
          type: 'object',
          required: ['owner', 'repo'],
          properties: { owner: { type: 'string' }, repo: { type: 'string' } },
        },
        annotations: { readOnlyHint: true },
        method: 'GET',
        url: 'https://api.github.com/repos/{owner}/{repo}',
      },
    ],
  },
  npm: { kind: 'npm', package: '@modelcontextprotocol/server-everything' },
  knowledge: { kind: 'knowledge', title: 'Team knowledge', language: 'english', memory: false },
};

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'is there already',
  EACCES: 'cannot be written: you may not write in that folder',
  EROFS: 'cannot be written: that disk is for reading alone',
  ENOSPC: 'cannot be written: the disk is full',
};

/** `wharf init` */
export const addInit: AddCommands = (program, run) => {
  program
    .command('init [folder]')
    .description(`write a ${MANIFEST_FILE} to begin with, in a folder that is made if there is none`)
    .addOption(
      new Option('--kind <kind>', 'what the server is made from').choices(Object.keys(SOURCES)).default('http'),
    )
    .option('--server <slug>', 'the server’s name in its URL')
    .action((folder: string | undefined, options: { kind: string; server?: string }) =>
      init(run(), folder ?? '.', options),
    );
};

async function init(run: Run, folder: string, { kind, server }: { kind: string; server?: string }): Promise<void> {
  const file = path.join(folder, MANIFEST_FILE);
  const slug =
    server ??
    (path
      .basename(path.resolve(folder))
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-') ||
      'server');
  const manifest = `${JSON.stringify({ server: slug, name: slug, source: SOURCES[kind] }, undefined, 2)}\n`;
  await mkdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new CliProblem(`${folder} is no folder, and none can be made there.`, 'Name another one.', { cause });
  });
  // Never over a file that is there: it may be the only copy.
  await writeFile(file, manifest, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    const reason = REASONS[cause.code ?? ''] ?? `cannot be written (${cause.code ?? cause.message})`;
    throw new CliProblem(`${file} ${reason}.`, undefined, { cause });
  });
  run.output.result({ file }, `${file} is written. Edit it, then run \`wharf deploy ${folder}\`.`);
}
