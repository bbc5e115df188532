import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Thrown for options that a program does not have, or not in this way, and, without a `fault`, where its usage was asked for. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(
    readonly fault: string | undefined,
    readonly usage: string,
  ) {
    super(fault ?? usage);
  }
}

type Options<Name extends string> = Readonly<Record<Name, { readonly type: 'string' }>>;

/** The options of a program, each of which is a text. @throws UsageError for any other, and for `--help` */
export function readOptions<Name extends string>(
  args: readonly string[],
  options: Options<Name>,
  usage: string,
): Partial<Record<Name, string>> {
  const known: ParseArgsConfig['options'] = { ...options, help: { type: 'boolean', short: 'h' } };
  const { help, ...values } = parsed([...args], known, usage);
  if (help !== undefined) throw new UsageError(undefined, usage);
  return values as Partial<Record<Name, string>>; // each of them is of the type `string`
}

function parsed(args: string[], options: ParseArgsConfig['options'], usage: string): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), usage);
  }
}

/** Prints what a program can be told, where this is why it ended: as an answer (exit status 0), or after what was wrong (2). */
export function saidUsage(error: unknown): boolean {
  if (!(error instanceof UsageError)) return false;
  if (error.fault === undefined) process.stdout.write(error.usage);
  else process.stderr.write(`${error.fault}\n\n${error.usage}`);
  process.exitCode = error.fault === undefined ? 0 : 2;
  return true;
}
