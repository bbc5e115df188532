import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The page that says what the names in all pages' commands stand for, and its heading. */
const EXPLAINED = { file: 'docs/management-api.md', anchor: '#what-the-commands-stand-on' };

/** Names of variables in the commands of a Markdown file that neither it nor the page that it leads to says anything of. */
export function unexplainedVariables(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const commands = commandsOf(text);
  const set = [...commands.matchAll(/(?:^|[\s;(])([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name);
  const explained = text.includes(EXPLAINED.anchor) ? mentionsIn(readFileSync(EXPLAINED.file, 'utf8')) : [];
  const known = new Set([...set, ...mentionsIn(text), ...explained]);
  // `$ARGS.positional` is a word of jq, and no shell's.
  const used = [...commands.matchAll(/\$\{?([A-Z][A-Z0-9_]*)\b(?!\.[a-z])/g)].map(([, name = '']) => name);
  return [...new Set(used)].filter((name) => !known.has(name)).map((name) => `${path.basename(file)}: $${name}`);
}

/** What is typed into a shell. */
function commandsOf(text: string): string {
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block).join('\n');
}

/** Names that prose speaks of, or that the shell of the explaining page sets. */
function mentionsIn(text: string): string[] {
  return [...text.matchAll(/`\$([A-Z][A-Z0-9_]*)`|export ([A-Z][A-Z0-9_]*)=/g)].map(
    ([, said, set]) => said ?? set ?? '',
  );
}
