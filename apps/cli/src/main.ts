import { homedir } from 'node:os';
import path from 'node:path';
import { processEnvironment } from '#libs/config';
import { ZodError } from 'zod';
import { ApiProblem } from '#libs/journey';
import { CliProblem } from './problem.js';
import { wharfProgram } from './program.js';
import type { SessionOptions } from './session/session.js';
import { isUnanswered, whyUnanswered } from './session/unanswered.js';

const { WHARF_URL, WHARF_API_KEY, WHARF_OPERATOR_KEY, WHARF_PROFILE, XDG_CONFIG_HOME } = processEnvironment();
const folder = path.join(XDG_CONFIG_HOME || path.join(homedir(), '.config'), 'wharf');

/** What went wrong, in words; what we did not foresee keeps its own. */
function sentence(error: unknown): string {
  if (error instanceof CliProblem) return [error.message, error.advice].filter(Boolean).join('\n');
  if (error instanceof ApiProblem && error.status === 401) {
    return `${error.message}\nYour sign-in or key is not taken any more: run \`wharf login\` again, or set another key.`;
  }
  if (error instanceof Error && isUnanswered(error)) {
    const url = program.opts<SessionOptions>().url ?? WHARF_URL ?? 'The installation';
    return `${url} does not answer: ${whyUnanswered(error)}\nCheck the URL: --url, WHARF_URL or the profile’s (\`wharf login\`).`;
  }
  if (error instanceof ZodError) {
    const places = error.issues.slice(0, 3).map(({ path: at }) => at.join('.'));
    return `The installation said what this program does not know (${places.join(', ')}): it may be of another version.`;
  }
  return error instanceof Error ? error.message : String(error);
}

const given = {
  ...(WHARF_URL ? { url: WHARF_URL } : {}),
  ...(WHARF_API_KEY ? { apiKey: WHARF_API_KEY } : {}),
  ...(WHARF_OPERATOR_KEY ? { operatorKey: WHARF_OPERATOR_KEY } : {}),
  ...(WHARF_PROFILE ? { profile: WHARF_PROFILE } : {}),
};
const program = wharfProgram({ folder }, given);
try {
  await program.parseAsync();
} catch (error) {
  if (program.opts()['json'] === true) {
    const problem = error instanceof ApiProblem ? error.problem : { title: sentence(error) };
    process.stdout.write(`${JSON.stringify({ error: problem })}\n`);
  } else process.stderr.write(`\n${sentence(error)}\n`);
  process.exitCode = 1;
}
