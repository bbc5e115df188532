import type { Command } from 'commander';
import { CliProblem } from '../problem.js';
import type { AddCommands } from './command.js';

/** `wharf completion`: a script for the person's shell that knows every command and option. */
export const addCompletion: AddCommands = (program) => {
  program
    .command('completion <shell>')
    .description('print a completion script for bash, zsh or fish')
    .action((shell: string) => {
      const write = SHELLS[shell];
      if (write === undefined) throw new CliProblem(`"${shell}" is no shell we know.`, 'bash, zsh or fish.');
      process.stdout.write(write(wordsOf(program)));
    });
};

/** What may follow each line of commands: `''`, `secrets`, `secrets set`. */
function wordsOf(command: Command, before: readonly string[] = []): Map<string, string[]> {
  const names = command.commands.map((child) => child.name());
  const options = [...command.options, ...(command.parent === null ? [] : globalOptions(command))];
  const here = [...names, ...options.flatMap(({ long }) => long ?? [])];
  const below = command.commands.flatMap((child) => [...wordsOf(child, [...before, child.name()])]);
  return new Map([[before.join(' '), here], ...below]);
}

function globalOptions(command: Command): Command['options'] {
  return command.parent === null ? command.options : globalOptions(command.parent);
}

const SHELLS: Readonly<Record<string, (words: Map<string, string[]>) => string>> = {
  bash: (words) => `_wharf() {
  local at="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do [[ $word == -* ]] || at="\${at:+$at }$word"; done
  while true; do
    case "$at" in
${cases(words)}
    esac
    [[ $at == *" "* ]] && at="\${at% *}" || at=""
  done
}
complete -o default -F _wharf wharf
`,
  zsh: (words) => `#compdef wharf
autoload -U +X bashcompinit && bashcompinit
${SHELLS['bash']?.(words) ?? ''}`,
  fish: (words) =>
    [...words]
      .map(([at, next]) => {
        const when = at === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${at.split(' ').at(-1)}`;
        return `complete -c wharf -f -n '${when}' -a '${next.join(' ')}'\n`;
      })
      .join(''),
};

function cases(words: Map<string, string[]>): string {
  return [...words]
    .map(
      ([at, next]) =>
        `      ${at === '' ? '""' : `"${at}"`}) COMPREPLY=($(compgen -W "${next.join(' ')}" -- "\${COMP_WORDS[COMP_CWORD]}")); return;;`,
    )
    .join('\n');
}
