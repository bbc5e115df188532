import { homedir } from 'node:os';
import path from 'node:path';
import { processEnvironment } from '#libs/config';
import { failureOf } from './failures/failure.js';
import { Output } from './output/output.js';
import { wharfProgram } from './program.js';
import type { SessionOptions } from './session/session.js';

const { WHARF_URL, WHARF_API_KEY, WHARF_OPERATOR_KEY, WHARF_PROFILE, XDG_CONFIG_HOME } = processEnvironment();
const folder = path.join(XDG_CONFIG_HOME || path.join(homedir(), '.config'), 'wharf');

// A variable that is set to nothing is as one that is not set.
const environment = {
  url: WHARF_URL || undefined,
  apiKey: WHARF_API_KEY || undefined,
  operatorKey: WHARF_OPERATOR_KEY || undefined,
  profile: WHARF_PROFILE || undefined,
};
const program = wharfProgram({ folder }, environment);
try {
  await program.parseAsync();
} catch (error) {
  const { json, url, profile } = program.opts<Partial<SessionOptions> & { readonly json?: boolean }>();
  const failure = failureOf(error, url ?? (profile === undefined ? environment.url : undefined));
  const output = new Output(json === true);
  if (failure !== undefined) {
    process.exitCode = 1;
    output.failure(failure.problem, failure.text);
  }
}
