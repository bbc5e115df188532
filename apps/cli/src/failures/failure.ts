import { CommanderError } from 'commander';
import { ZodError } from 'zod';
import { ApiProblem } from '#libs/journey';
import { CliProblem } from '../problem.js';
import { isUnanswered, whyUnanswered } from '../session/unanswered.js';
import { missingThing } from './missing-thing.js';

/** What is said about a run that failed. */
export interface Failure {
  /** For `--json`: the management API's problem document where it refused, else a title alone. */
  readonly problem: object;
  /** For people; undefined where the parser of the line has said it. */
  readonly text?: string;
}

/** What to say about an error, undefined for a run that only showed help. */
export function failureOf(error: unknown, installation: string | undefined): Failure | undefined {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return undefined;
    // Help in place of a command's own word carries no sentence of its own.
    const known =
      error.code === 'commander.help' ? 'A command is missing here.' : error.message.replace(/^error: /, '');
    return { problem: { title: known, code: 'usage' } };
  }
  const text = sentence(error, installation);
  if (!(error instanceof ApiProblem)) return { problem: { title: text }, text };
  return { problem: { title: text, status: error.status, ...error.problem }, text };
}

/** What went wrong, in words; what we did not foresee keeps its own. */
function sentence(error: unknown, installation: string | undefined): string {
  if (error instanceof CliProblem) return [error.message, error.advice].filter(Boolean).join('\n');
  if (error instanceof ApiProblem) return refusal(error);
  if (error instanceof Error && isUnanswered(error)) {
    const url = installation ?? 'The installation';
    return `${url} does not answer: ${whyUnanswered(error)}\nCheck the URL: --url, WHARF_URL or the profile’s (\`wharf login\`).`;
  }
  if (error instanceof ZodError) {
    const places = error.issues.slice(0, 3).map(({ path: at }) => at.join('.'));
    return `The installation said what this program does not know (${places.join(', ')}): it may be of another version.`;
  }
  return error instanceof Error ? error.message : String(error);
}

function refusal(error: ApiProblem): string {
  if (error.status === 401)
    return `${error.message}\nYour sign-in or API key is not taken any more: run \`wharf login\` again.`;
  const missing = error.status === 404 ? missingThing(error.request) : undefined;
  return missing === undefined ? error.message : [missing.sentence, missing.advice].filter(Boolean).join('\n');
}
