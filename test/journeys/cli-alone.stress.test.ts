import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CommandLine } from './cli.fixture.js';

let line: CommandLine;
beforeAll(async () => {
  line = await CommandLine.build();
});
afterAll(() => line?.remove());

describe('the command line where nothing answers', () => {
  test('says what is wrong with the line to a person', async () => {
    const misspelled = await line.cli(['deply']);
    expect([misspelled.code, misspelled.stdout, misspelled.stderr]).toEqual([
      1,
      '',
      expect.stringContaining('Did you mean deploy?'),
    ]);
    expect((await line.cli(['secrets'])).stderr).toContain('Usage: wharf secrets');
    const helped = await line.cli(['help', 'logs']);
    expect([helped.code, helped.stdout]).toEqual([0, expect.stringContaining('Usage: wharf logs')]);
  });

  test.each([
    ['nope', 'unknown command'],
    ['call', 'missing required argument'],
    ['logs --nope', 'unknown option'],
    ['secrets set', 'missing required argument'],
    ['secrets', 'A command is missing'],
    ['--url', 'argument missing'],
    ['login --url notaurl', 'is no URL of an installation'],
    ['whoami', 'not signed in'],
  ])('answers wharf --json %s with an error in JSON and nothing else', async (args, title) => {
    const { code, stdout, stderr } = await line.cli(['--json', ...args.split(' ')]);
    expect([code, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout)).toEqual({
      error: expect.objectContaining({ title: expect.stringContaining(title) }),
    });
  });

  test.each(['bash', 'zsh', 'fish'])('completes in %s', async (shell) => {
    const { code, stdout } = await line.cli(['completion', shell]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('secrets')]);
  });

  test('completes a command’s own words in a real bash', async () => {
    const { stdout } = await line.cli(['completion', 'bash']);
    const script = `${stdout}\nCOMP_WORDS=(wharf secrets s); COMP_CWORD=2; _wharf; echo "\${COMPREPLY[@]}"`;
    const words = await new Promise((resolve) => {
      execFile('bash', ['-c', script], { timeout: 60_000 }, (_, out) => resolve(out.trim()));
    });
    expect(words).toBe('set');
  });
});
