import type { Argument, Command, Option } from 'commander';

/** What may stand where a line is completed. */
export interface Place {
  /** Commands, options, and values of which there are only so many. */
  readonly words: readonly string[];
  /** What stands here otherwise, by its name in the usage: `server`, `profile`, `folder`. */
  readonly value?: string;
  /** How many of the words before are whole: all but an option that waits for this value. */
  readonly whole: number;
}

/** What may stand behind these words of a line, before a word that begins as `begun`. */
export function placeAfter(program: Command, before: readonly string[], begun: string): Place {
  let at = program;
  let position = 0;
  let awaiting: Option | undefined;
  for (const word of before) {
    if (awaiting !== undefined) awaiting = undefined;
    else if (word.startsWith('-'))
      awaiting = optionsAt(at).find((option) => isNamed(option, word) && takesValue(option));
    else {
      const below = at.commands.find((child) => child.name() === word);
      if (below === undefined) position += 1;
      else [at, position] = [below, 0];
    }
  }
  const whole = before.length;
  if (awaiting !== undefined) return valuesOf(awaiting, awaiting.long?.replace(/^--/, '') ?? '', whole - 1);
  if (begun.startsWith('-')) return { words: optionsAt(at).flatMap(({ long }) => long ?? []), whole };
  if (at.commands.length > 0 && position === 0) return { words: namesBelow(at), whole };
  const argument = at.registeredArguments[position];
  return argument === undefined ? { words: [], whole } : valuesOf(argument, argument.name(), whole);
}

/** Its own options and those of the program, which count wherever they stand. */
function optionsAt(command: Command): readonly Option[] {
  return command.parent === null ? command.options : [...command.options, ...optionsAt(command.parent)];
}

function isNamed({ long, short }: Option, word: string): boolean {
  return word === long || word === short;
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function valuesOf({ argChoices }: Option | Argument, value: string, whole: number): Place {
  return argChoices === undefined ? { words: [], value, whole } : { words: argChoices, whole };
}

function namesBelow(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((child) => child.name());
}
