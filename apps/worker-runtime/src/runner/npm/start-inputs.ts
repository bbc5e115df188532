import type { ReleaseSource, StartText } from '#libs/protocol';
import { at, type Problems } from '../build-checks/problems.js';
import { refuseVariable, secretsIn, type BundleStartTexts } from '../bundles/bundle-start.js';
import type { ArgumentInput, Input, NpmPackageEntry, VariableInput } from './server-json.js';

type Config = NonNullable<Extract<ReleaseSource, { kind: 'npm' }>['config']>;
type Given = Config[string];

const VARIABLE = /\{([^{}]{1,128})\}/;

/** What a package is started with: what its entry in the server.json fixes, filled with the values of the tenant; what is wrong is noted. */
export function readStartInputs(
  problems: Problems,
  { place, packageArguments, environmentVariables }: NpmPackageEntry,
  config: Config = {},
): BundleStartTexts {
  const values = new GivenValues(problems, config);
  const args = packageArguments.flatMap((argument, index) =>
    argumentTexts(values, at(place, 'packageArguments', index), argument),
  );
  const env: Record<string, StartText> = {};
  for (const [index, variable] of environmentVariables.entries()) {
    const pointer = at(place, 'environmentVariables', index);
    refuseVariable(problems, pointer, variable.name);
    const [value, ...more] = values.textsOf(pointer, variable.name, variable);
    if (more.length > 0) problems.add(at('/config', variable.name), 'This takes one value, not a list.');
    if (value !== undefined) env[variable.name] = value;
  }
  values.refuseUnknown();
  return { args, env, secrets: secretsIn([...args, ...Object.values(env)]) };
}

function argumentTexts(values: GivenValues, pointer: string, argument: ArgumentInput): StartText[] {
  const positional = argument.type === 'positional';
  const name = positional ? (argument.valueHint ?? '') : argument.name;
  const texts = values.textsOf(pointer, name, argument);
  if (texts.length > 1 && !argument.isRepeated) values.refuse(name, 'This takes one value, not a list.');
  return positional ? texts : texts.flatMap((text) => [[argument.name], text]);
}

/** The values that a tenant gives, by the names of what they are for. */
class GivenValues {
  readonly #problems: Problems;
  readonly #config: Config;
  readonly #names = new Set<string>();

  constructor(problems: Problems, config: Config) {
    this.#problems = problems;
    this.#config = config;
  }

  /** The texts of an input: fixed, given or by default; none when it has no value. */
  textsOf(pointer: string, name: string, input: Omit<VariableInput, 'name'> | Input): StartText[] {
    if (input.value !== undefined)
      return [this.#filled(pointer, input.value, 'variables' in input ? input.variables : {})];
    this.#names.add(name);
    const given = Object.hasOwn(this.#config, name) ? this.#config[name] : undefined;
    if (given === undefined) {
      if (input.default !== undefined) return [[input.default]];
      if (input.isRequired)
        this.#problems.add(pointer, `The server needs this. Give ${JSON.stringify(name)} in "config".`);
      return [];
    }
    const wrong = faultOf(input, given);
    if (wrong !== undefined) this.refuse(name, wrong);
    return Array.isArray(given) ? given.map((text) => [text]) : [[partOf(given)]];
  }

  /** Notes what is wrong with a value. */
  refuse(name: string, message: string): void {
    this.#problems.add(at('/config', name), message);
  }

  /** Notes values that are for nothing. */
  refuseUnknown(): void {
    const known = [...this.#names].join(', ').slice(0, 200) || 'none';
    for (const name of Object.keys(this.#config))
      if (!this.#names.has(name)) this.refuse(name, `The server.json asks for no such value. It asks for: ${known}.`);
  }

  /** A fixed text with its `{variables}` in place; braces that name none stay. */
  #filled(pointer: string, text: string, variables: Readonly<Record<string, Input>>): StartText {
    const filled = text.split(VARIABLE).flatMap((piece, index): StartText => {
      if (index % 2 === 0) return piece === '' ? [] : [piece];
      const variable = Object.hasOwn(variables, piece) ? variables[piece] : undefined;
      if (variable === undefined) return [`{${piece}}`];
      const [value, ...more] = this.textsOf(at(pointer, 'variables', piece), piece, variable);
      if (more.length > 0) this.refuse(piece, 'This takes one value, not a list.');
      return value ?? [];
    });
    return filled.length === 0 ? [''] : filled;
  }
}

/** What is wrong with a value for an input. */
function faultOf({ isSecret, format, choices }: Input, given: Given): string | undefined {
  if (typeof given === 'object' && !Array.isArray(given)) {
    if ('secret' in given || format === 'filepath') return undefined;
    return 'This is no path. Only an input of the format "filepath" can be a folder.';
  }
  if (isSecret) return 'This is sensitive. Store it with PUT /v1/secrets/{name} and give {"secret": "{name}"} here.';
  const texts = (Array.isArray(given) ? given : [given]).map(String);
  if (format === 'number' && !texts.every((text) => text.trim() !== '' && Number.isFinite(Number(text))))
    return 'This is a number.';
  if (format === 'boolean' && !texts.every((text) => text === 'true' || text === 'false'))
    return 'This is true or false.';
  if (choices !== undefined && !texts.every((text) => choices.includes(text)))
    return `This is one of: ${choices.join(', ').slice(0, 200)}.`;
  return undefined;
}

function partOf(given: Exclude<Given, readonly string[]>): StartText[number] {
  return typeof given === 'object' ? given : String(given);
}
