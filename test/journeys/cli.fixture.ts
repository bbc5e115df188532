import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildCli } from '../../scripts/build-cli.mjs';

/** How a run of the command line ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command line of a person with a home folder of their own, in which it runs. */
export class CommandLine {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'wharf-cli-'));

  private constructor(
    /** The file that Node runs. */
    readonly program: string,
  ) {}

  static async build(): Promise<CommandLine> {
    return new CommandLine(await buildCli());
  }

  /** Nothing of ours is in it. */
  get environment(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], HOME: this.folder, XDG_CONFIG_HOME: path.join(this.folder, 'config') };
  }

  /** Runs it to its end. */
  readonly cli = (args: readonly string[], input = '', extra: NodeJS.ProcessEnv = {}): Promise<Ended> => {
    return new Promise((resolve) => {
      const options = { cwd: this.folder, env: { ...this.environment, ...extra }, timeout: 150_000 };
      const child = execFile(process.execPath, [this.program, ...args], options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      });
      child.stdin?.end(input);
    });
  };

  /** Runs it with `--json`. @throws Error where it fails */
  readonly json = async (args: readonly string[], input = ''): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await this.cli([...args, '--json'], input);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return JSON.parse(stdout) as Record<string, unknown>; // what is asserted by the caller
  };

  /** Forgets the person and their files. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
