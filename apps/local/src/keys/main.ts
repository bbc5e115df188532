import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ConfigError, masterKeysText, processEnvironment, ringOf, type Environment } from '#libs/config';
import { withMasterKeys, wrapMasterKey } from '#libs/root-keys';
import { masterKeyId } from '#libs/secrets';

const USAGE = `Use: npm run keys -- make               print a new master key
     npm run keys -- wrap --with KEEPER print WHARF_MASTER_KEY as KEEPER, aws-kms or vault, has wrapped it
     npm run keys -- ids                print the ids of the keys that WHARF_MASTER_KEY names`;

/** The keys that the environment names, in plain. @throws ConfigError */
async function namedKeys(environment: Environment): Promise<string[]> {
  const { WHARF_MASTER_KEY: text } = await withMasterKeys(environment);
  const parsed = masterKeysText().safeParse(text ?? '');
  if (!parsed.success) throw new ConfigError(`WHARF_MASTER_KEY: ${parsed.error.issues[0]?.message ?? 'is not set'}.`);
  return ringOf(parsed.data).map((key) => key.reveal());
}

async function wrapped(keeper: string | undefined, environment: Environment): Promise<string> {
  if (keeper !== 'aws-kms' && keeper !== 'vault') throw new ConfigError(`Say who is to wrap the key.\n${USAGE}`);
  const texts: string[] = [];
  for (const key of await namedKeys(environment)) texts.push(await wrapMasterKey(keeper, key, environment));
  return texts.join(',');
}

async function ids(environment: Environment): Promise<string> {
  const keys = await namedKeys(environment);
  return keys.map((key) => masterKeyId(masterKeysText().parse(key))).join('\n');
}

/** `npm run keys`: makes master keys, and has them wrapped. What it prints is for the configuration alone. */
try {
  const environment = processEnvironment();
  const { values, positionals } = parseArgs({ options: { with: { type: 'string' } }, allowPositionals: true });
  const [what] = positionals;
  if (what === 'make') process.stdout.write(`${randomBytes(32).toString('base64')}\n`);
  else if (what === 'wrap') process.stdout.write(`${await wrapped(values.with, environment)}\n`);
  else if (what === 'ids') process.stdout.write(`${await ids(environment)}\n`);
  else throw new ConfigError(USAGE);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
