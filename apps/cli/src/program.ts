import { stderr } from 'node:process';
import { Command } from 'commander';
import { addApprovals } from './approvals/approvals-commands.js';
import { addAudit } from './commands/audit.js';
import { addCall } from './commands/call.js';
import { Run, type Surroundings } from './commands/command.js';
import { addCompletion } from './completion/completion-commands.js';
import { addConnect } from './commands/connect.js';
import { addDeploy } from './commands/deploy.js';
import { addInit } from './commands/init.js';
import { addKnowledge } from './commands/knowledge.js';
import { addLogin } from './commands/login.js';
import { addLogs } from './log/logs-command.js';
import { addPromote } from './commands/promote.js';
import { addReleases } from './commands/releases.js';
import { addRollout } from './commands/rollout.js';
import { addServers } from './commands/servers.js';
import { addSecrets } from './commands/secrets.js';
import { addDrift } from './drift/drift-commands.js';
import { addImports } from './imports/imports-commands.js';
import type { SessionOptions } from './session/session.js';
import { addTenant } from './tenant/tenant-commands.js';

const ROOMS = [
  addLogin,
  addInit,
  addServers,
  addDeploy,
  addReleases,
  addRollout,
  addDrift,
  addApprovals,
  addPromote,
  addCall,
  addConnect,
  addLogs,
  addSecrets,
  addKnowledge,
  addAudit,
  addTenant,
  addImports,
  addCompletion,
];

type GivenOptions = Omit<Run['options'], 'environment'>;

/** The whole command line. */
export function wharfProgram(surroundings: Surroundings, environment: SessionOptions['environment']): Command {
  const program = new Command('wharf')
    .description('Publish MCP servers, and see what agents do with them.')
    .option('--url <url>', 'the installation, else WHARF_URL or the profile’s')
    .option('--profile <name>', 'which sign-in to use')
    .option('--json', 'results as JSON on standard output')
    // What is wrong with the line is an error like any other: main says it, and with --json as JSON.
    .exitOverride()
    .configureOutput({ writeErr: (text) => void (program.opts()['json'] === true || stderr.write(text)) })
    .showHelpAfterError('(`wharf help` lists the commands)')
    .showSuggestionAfterError();
  // Options of the program count wherever they stand on the line.
  const run = (): Run => new Run({ ...program.opts<GivenOptions>(), environment }, surroundings);
  for (const add of ROOMS) add(program, run);
  return program;
}
