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

  test.each(['bash', 'zsh', 'fish'])('prints a script for %s that asks the program itself', async (shell) => {
    const { code, stdout } = await line.cli(['completion', shell]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('wharf __complete -- ')]);
  });

  test('names the shells that it knows', async () => {
    const { code, stderr } = await line.cli(['completion', 'ksh']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('bash, zsh, fish')]);
  });

  test.each([
    ['sec', 'secrets'],
    ['secrets s', 'set'],
    ['secrets set x ', ''],
    ['--profile k secrets r', 'restore'],
    ['secrets --profile k r', 'restore'],
    ['connect --client cl', 'claude claude-code'],
    ['init --kind ', 'openapi http npm knowledge'],
    ['drift policy x ', 'approve auto reject'],
    ['rollout start x 2 --strategy b', 'blue-green'],
    ['logs --ou', '--outcome'],
    ['logs --prof', '--profile'],
    ['releases ', ''],
    ['deploy ', ''],
    ['nothing-like-it ', ''],
  ])('completes wharf %s', async (typed, expected) => {
    const { code, stdout, stderr } = await line.cli(['__complete', '--', ...typed.split(' ')]);
    expect([code, stdout.trim().replaceAll('\n', ' '), stderr]).toEqual([0, expected, '']);
  });

  test('completes in a real bash', async () => {
    const { stdout } = await line.cli(['completion', 'bash']);
    const wharf = `wharf() { "${process.execPath}" "${line.program}" "$@"; }`;
    const script = `${wharf}\n${stdout}\nCOMP_WORDS=(wharf secrets s); COMP_CWORD=2; _wharf; echo "\${COMPREPLY[@]}"`;
    const words = await new Promise((resolve) => {
      execFile('bash', ['-c', script], { timeout: 60_000 }, (_, out) => resolve(out.trim()));
    });
    expect(words).toBe('set');
  });
});
