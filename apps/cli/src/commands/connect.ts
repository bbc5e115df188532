import { Option } from 'commander';
import { z } from 'zod';
import { queryOf } from '#libs/journey';
import type { AddCommands, Run } from './command.js';

const configsSchema = z.object({
  name: z.string(),
  url: z.string(),
  configs: z.array(
    z.object({
      client: z.string(),
      title: z.string(),
      config: z.string().nullable(),
      file: z.string().nullable(),
      command: z.string().nullable(),
      link: z.string().nullable(),
      steps: z.array(z.string()),
    }),
  ),
});

const CLIENTS = ['claude', 'chatgpt', 'cursor', 'vscode', 'claude-code'];

interface Choice {
  readonly client?: string;
  readonly apiKey?: true;
}

/** `wharf connect [SERVER]`: what to copy into an agent's configuration. */
export const addConnect: AddCommands = (program, run) => {
  program
    .command('connect [server]')
    .description('how agents are configured for a server, a profile, or all your servers')
    .addOption(new Option('--client <client>', 'only for this one').choices(CLIENTS))
    .option('--api-key', 'with an API key instead of a person’s sign-in')
    .action((server: string | undefined, choice: Choice) => connect(run(), server, choice));
};

async function connect(run: Run, at: string | undefined, { client, apiKey }: Choice): Promise<void> {
  const door = await (await run.session()).door();
  const query = queryOf({
    ...(at === undefined ? {} : { at }),
    ...(client === undefined ? {} : { client }),
    ...(apiKey === true ? { credentials: 'api_key' } : {}),
  });
  const found = await door.ask({ method: 'GET', path: `/v1/client-configs${query}` }, configsSchema);
  const parts = found.configs.map(({ title, steps, link, command, file, config }) =>
    [
      title,
      ...steps.map((step) => `  - ${step}`),
      ...(link === null ? [] : [`  ${link}`]),
      ...(command === null ? [] : [`  ${command}`]),
      ...(file === null ? [] : [`  ${file}:`]),
      ...(config === null ? [] : [config.replaceAll(/^/gm, '    ')]),
    ].join('\n'),
  );
  run.output.result(found, [found.url, ...parts].join('\n\n'));
}
