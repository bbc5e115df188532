import { existsSync, readFileSync } from 'node:fs';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';

/** A stage of the Dockerfile with what it does, in order. */
export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly steps: ReadonlyArray<{ readonly keyword: string; readonly text: string }>;
}

/** With its flags, on one line. */
function argumentsOf(instruction: Instruction): string {
  const text = instruction.getTextContent().slice(instruction.getInstruction().length);
  return text.replaceAll(/\\\n\s*/g, ' ').trim();
}

/** Reads the stages of a Dockerfile. */
export function readStages(text: string): readonly Stage[] {
  const file = DockerfileParser.parse(text);
  const starts = file.getFROMs();
  const lineOf = (instruction: Instruction | undefined): number => instruction?.getRange().start.line ?? Infinity;
  return starts.map((from, index) => ({
    name: from.getBuildStage() ?? '',
    image: from.getImage() ?? '',
    steps: file
      .getInstructions()
      .filter((each) => lineOf(each) > lineOf(from) && lineOf(each) < lineOf(starts[index + 1]))
      .map((each) => ({ keyword: each.getKeyword(), text: argumentsOf(each) })),
  }));
}

const textsOf = (stage: Stage, keyword: string): readonly string[] =>
  stage.steps.filter((step) => step.keyword === keyword).map(({ text }) => text);

/** What is wrong with the image that a Dockerfile makes, a sentence each. */
export function faultsOfDockerfile(text: string): readonly string[] {
  const stages = readStages(text);
  const last = stages.at(-1);
  if (last === undefined) return ['It has no stage.'];
  const faults: string[] = [];
  const user = textsOf(last, 'USER').at(-1) ?? '';
  if (!/^[1-9]\d*:[1-9]\d*$/.test(user)) faults.push(`It runs as "${user}", which no cluster can see not to be root.`);
  if (textsOf(last, 'HEALTHCHECK').length !== 1) faults.push('It does not say how to ask whether it is well.');
  if (textsOf(last, 'CMD').some((command) => !command.startsWith('[')))
    faults.push('A shell stands before its program.');
  if (textsOf(last, 'RUN').some((command) => /npm|curl|wget/.test(command)))
    faults.push('Its last stage fetches or builds.');
  if (stages.length < 2) faults.push('What builds it is in it.');
  for (const stage of stages) {
    faults.push(...textsOf(stage, 'ADD').map((added) => `ADD ${added} fetches or unpacks; COPY does not.`));
    for (const command of textsOf(stage, 'RUN')) {
      if (/npm (?:ci|install)(?!.*--ignore-scripts)/s.test(command))
        faults.push(`"${command}" runs packages’ own scripts.`);
      if (/npm install/.test(command)) faults.push(`"${command}" installs what no lock file names.`);
      if (/apt-get install(?!.*--no-install-recommends)/s.test(command))
        faults.push(`"${command}" installs more than it names.`);
    }
    faults.push(...faultsOfCopies(stage, stages));
    const isGiven = stage.image.startsWith('$') || stage.image === 'scratch';
    if (!isGiven && /:latest$|^[^:@]+$/.test(stage.image)) faults.push(`${stage.image} leaves its version open.`);
  }
  return faults;
}

function faultsOfCopies(stage: Stage, stages: readonly Stage[]): string[] {
  return textsOf(stage, 'COPY').flatMap((text) => {
    const [, source] = /^--from=(\S+)/.exec(text) ?? [];
    if (source !== undefined)
      return stages.some(({ name }) => name === source) ? [] : [`COPY ${text} is of a stage that is not there.`];
    const files = text.split(/\s+/).slice(0, -1);
    return files.filter((file) => !existsSync(file)).map((file) => `COPY ${text} wants ${file}, which is not there.`);
  });
}

/** Whether the build is never sent a file, by the patterns of .dockerignore as this repository writes them. */
export function isIgnored(file: string): boolean {
  return readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .some((pattern) => {
      const expression = pattern
        .replaceAll('.', '\\.')
        .replaceAll('**/', '(?:.+/)?')
        .replaceAll(/(?<!\))\*/g, '[^/]*');
      return new RegExp(`^${expression}(?:/|$)`).test(file);
    });
}
