import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { unexplainedVariables } from './commands.js';

test('a newcomer is told what every variable in our documents’ commands stands for', () => {
  const files = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n');
  expect(files.flatMap(unexplainedVariables)).toEqual([]);
});

test('a variable that nobody sets or explains is found, also one of the page that is not linked', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'commands-'));
  try {
    const file = path.join(folder, 'page.md');
    const page = '`$SAID` is said.\n\n```sh\nSET=1\ncurl $SET $SAID "${GONE}" $URL\n```\n';
    writeFileSync(file, page);
    expect(unexplainedVariables(file)).toEqual(['page.md: $GONE', 'page.md: $URL']);
    writeFileSync(file, `${page}[names](management-api.md#what-the-commands-stand-on)\n`);
    expect(unexplainedVariables(file)).toEqual(['page.md: $GONE']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
