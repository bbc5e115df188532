import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isIgnored, readStages, type Stage } from './dockerfile.fixture.js';

const WORKDIR = '/wharf';
const STEP_MS = 600_000;
/** What comes with the base image, and what its own layer of the system adds: the machine's own stand for both. */
const OF_THE_SYSTEM = /^(?:apt-get |mkdir \/data )/;

/** The programs of a container: bubblewrap, and the folder of the Node that stands for the base image's. */
export interface Programs {
  readonly bubblewrap: string;
  readonly node: string;
}

/** How a step reaches npm's registry. */
export interface NpmAccess {
  readonly environment: Readonly<Record<string, string>>;
  /** What npm has fetched before on this machine, by hash. */
  readonly cache: string;
}

/** What is made, and how its programs are started. */
export interface Image {
  /** What is at /wharf. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  readonly health: readonly string[];
}

/** The files that a build is sent. */
function copyContext(target: string): void {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { encoding: 'utf8' });
  for (const file of listed.split('\0').filter((each) => each !== '' && existsSync(each) && !isIgnored(each))) {
    mkdirSync(path.dirname(path.join(target, file)), { recursive: true });
    cpSync(file, path.join(target, file));
  }
}

/** The machine's system and Node, read-only, around what is given: no home, no key, no file of this repository. */
export function systemArguments({ node }: Programs): string[] {
  return [
    ['--ro-bind', '/usr', '/usr'],
    ['--ro-bind', '/etc', '/etc'],
    ['--symlink', 'usr/bin', '/bin'],
    ['--symlink', 'usr/lib', '/lib'],
    ['--symlink', 'usr/lib64', '/lib64'],
    ['--ro-bind', node, '/opt/node'],
    ['--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp'],
    ['--unshare-pid', '--die-with-parent', '--new-session', '--clearenv'],
    ['--setenv', 'PATH', '/opt/node/bin:/usr/bin:/bin'],
  ].flat();
}

/** Runs the Dockerfile's own steps in a scratch folder, but for the system's packages. */
export function replay(dockerfile: string, scratch: string, programs: Programs, npm: NpmAccess): Image {
  const stages = readStages(readFileSync(dockerfile, 'utf8'));
  const context = path.join(scratch, 'context');
  copyContext(context);
  for (const [index, stage] of stages.entries()) {
    const folder = folderOf(scratch, index);
    mkdirSync(folder, { recursive: true });
    for (const { keyword, text } of stage.steps) {
      if (keyword === 'COPY')
        copy(text, folder, context, (name) =>
          folderOf(
            scratch,
            stages.findIndex((each) => each.name === name),
          ),
        );
      if (keyword === 'RUN' && !OF_THE_SYSTEM.test(text)) runStep(text, folder, programs, npm);
    }
  }
  return describe(stages.at(-1), folderOf(scratch, stages.length - 1));
}

const folderOf = (scratch: string, index: number): string => path.join(scratch, `stage-${index}`);

function copy(text: string, folder: string, context: string, stageFolder: (name: string) => string): void {
  const words = text.split(/\s+/);
  const from = words[0]?.startsWith('--from=') === true ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop() ?? '';
  for (const source of words) {
    const origin =
      from === undefined ? path.join(context, source) : path.join(stageFolder(from), path.relative(WORKDIR, source));
    const intoFolder = target.endsWith('/') && source !== '.';
    const place = path.join(folder, target, intoFolder ? path.basename(source) : '');
    mkdirSync(path.dirname(place), { recursive: true });
    execFileSync('cp', source === '.' ? ['-a', `${origin}/.`, folder] : ['-a', '-T', origin, place]);
  }
}

function runStep(command: string, folder: string, programs: Programs, npm: NpmAccess): void {
  const settings = Object.entries(npm.environment).flatMap(([name, value]) => ['--setenv', name, value]);
  execFileSync(
    programs.bubblewrap,
    [
      systemArguments(programs),
      settings,
      ['--bind', npm.cache, '/tmp/npm', '--setenv', 'npm_config_cache', '/tmp/npm'],
      ['--bind', folder, WORKDIR, '--chdir', WORKDIR, '/bin/sh', '-ec', command],
    ].flat(),
    { timeout: STEP_MS, stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

function describe(stage: Stage | undefined, folder: string): Image {
  const textOf = (keyword: string): string => stage?.steps.findLast((step) => step.keyword === keyword)?.text ?? '';
  const environment = Object.fromEntries(
    textOf('ENV')
      .split(/\s+/)
      .map((pair) => pair.split('=', 2)),
  );
  const health: unknown = JSON.parse(/CMD (\[.*\])$/.exec(textOf('HEALTHCHECK'))?.[1] ?? '[]');
  return { folder, environment, user: textOf('USER'), health: (health as string[]).map(String) }; // its JSON form
}

/** How a container of the image runs a command: not root, no capability, a root that it cannot write to, /data and /tmp apart. */
export function containerArguments(
  image: Image,
  programs: Programs,
  data: string,
  environment: Readonly<Record<string, string>>,
): string[] {
  const [uid = '', gid = ''] = image.user.split(':');
  const settings = Object.entries({ ...image.environment, ...environment });
  return [
    systemArguments(programs),
    ['--unshare-user', '--uid', uid, '--gid', gid, '--cap-drop', 'ALL'],
    ['--ro-bind', image.folder, WORKDIR, '--bind', data, '/data', '--chdir', WORKDIR],
    settings.flatMap(([name, value]) => ['--setenv', name, value]),
    ['--remount-ro', '/'],
  ].flat();
}
