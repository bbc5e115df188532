import { text } from 'node:stream/consumers';
import { WharfApi } from '#libs/journey';
import { CliProblem } from '../problem.js';
import { Authorization, protectedResource } from '../session/authorization.js';
import { installationUrl } from '../session/installation-url.js';
import { resourcesOf, signIn } from '../session/session.js';
import { whoami } from '../session/whoami.js';
import type { AddCommands, Run } from './command.js';

interface LoginOptions {
  readonly tenant?: string;
  readonly withApiKey?: boolean;
  readonly forCalls?: boolean;
}

/** `wharf login`, `logout`, `whoami` and `token`. */
export const addLogin: AddCommands = (program, run) => {
  program
    .command('login')
    .description('sign in with a browser on any device, or with an API key')
    .option('--tenant <name>', 'whose tenant, as it stands in its URL')
    .option('--with-api-key', 'read an API key from standard input')
    .option('--for-calls', 'for `wharf tools` and `wharf call` alone, which need no role that manages')
    .action((options: LoginOptions) => login(run(), options));
  program
    .command('logout')
    .description('end the sign-in here and at the server')
    .action(() => logout(run()));
  program
    .command('whoami')
    .description('show who you are, at which tenant, and how you get in')
    .action(() => whoami(run()));
  program
    .command('token')
    .description('print what the management API takes from you, for programs such as curl; it is a secret')
    .action(() => printToken(run()));
};

async function login(run: Run, options: LoginOptions): Promise<void> {
  const given = run.options.url ?? run.options.environment.url;
  if (given === undefined) throw new CliProblem('Which installation?', 'Give its URL with --url or WHARF_URL.');
  const url = installationUrl(given);
  if (options.withApiKey === true) return loginWithApiKey(run, url);
  if (options.tenant === undefined) throw new CliProblem('Which tenant?', 'Give its name with --tenant.');
  const { management, calls } = resourcesOf({ url, tenant: options.tenant });
  const target = await protectedResource(options.forCalls === true ? calls : management);
  const authorization = await Authorization.of(target, undefined);
  const grant = await signIn(authorization, target, run.output);
  const profile = { url, tenant: options.tenant, clientId: authorization.clientId };
  await keep(run, { ...profile, grants: { [target.resource]: grant } });
}

async function loginWithApiKey(run: Run, url: string): Promise<void> {
  if (process.stdin.isTTY) run.output.say('Paste the API key and end with Ctrl-D.');
  const apiKey = (await text(process.stdin)).trim();
  if (apiKey === '') throw new CliProblem('No API key came from standard input.');
  const { slug } = await new WharfApi({ publicUrl: url, apiKey }).tenant();
  await keep(run, { url, tenant: slug, apiKey, grants: {} });
}

async function keep(run: Run, profile: Parameters<Run['profiles']['save']>[1]): Promise<void> {
  const name = run.profileName ?? profile.tenant;
  await run.profiles.save(name, profile);
  const { url, tenant } = profile;
  run.output.result({ profile: name, url, tenant }, `Signed in to ${tenant} at ${url}.`);
}

async function logout(run: Run): Promise<void> {
  const found = await run.profiles.find(run.profileName);
  if (found === undefined) throw new CliProblem('You are not signed in.');
  const { name, profile } = found;
  for (const [resource, { refreshToken }] of Object.entries(profile.grants)) {
    if (refreshToken === undefined || profile.clientId === undefined) continue;
    const authorization = await Authorization.of(await protectedResource(resource), profile.clientId);
    await authorization.revoke(refreshToken);
  }
  await run.profiles.remove(name);
  run.output.result({ profile: name }, `Signed out of ${profile.tenant}.`);
}

async function printToken(run: Run): Promise<void> {
  const token = await (await run.session()).managementBearer();
  run.output.result({ token }, token);
}
