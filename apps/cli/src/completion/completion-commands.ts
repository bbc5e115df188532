import { Argument, type Command } from 'commander';
import type { AddCommands, Run } from '../commands/command.js';
import { harmless } from '../output/visible.js';
import { placeAfter } from './place.js';
import { SHELLS } from './shells.js';
import { valuesOf } from './values.js';

/** `wharf completion`: a script for the person's shell, which asks `wharf __complete` at each Tab. */
export const addCompletion: AddCommands = (program, run) => {
  program
    .command('completion')
    .description('print a completion script for your shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(SHELLS)))
    .action((shell: string) => void process.stdout.write(SHELLS[shell] ?? ''));
  program
    .command('__complete [words...]', { hidden: true })
    .action((words: readonly string[]) => complete(program, run, words));
};

/** Writes what may come next, one word a line; the last of the words is the one that is being typed. */
async function complete(program: Command, run: () => Run, words: readonly string[]): Promise<void> {
  const begun = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { words: known, value, whole } = placeAfter(program, before, begun);
  // The profile that the line names is the one whose servers are meant.
  program.parseOptions(before.slice(0, whole));
  const found = value === undefined ? known : await valuesOf(run(), value);
  const lines = found.filter((word) => word.startsWith(begun)).map((word) => `${harmless(word)}\n`);
  // Nobody waits for an installation that does not answer.
  process.stdout.write(lines.join(''), () => process.exit());
}
