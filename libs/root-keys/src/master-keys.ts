import { ConfigError, type Environment } from '#libs/config';
import { FileKeys } from './file-keys.js';
import type { KeyKeeper, WrappingKeeper } from './key-keeper.js';
import { parseKeepers } from './keepers.js';

/** A file may name what a keeper has wrapped, and no further file. */
const STEPS_MAX = 2;

/**
 * The environment with every key of `WHARF_MASTER_KEY` in plain, whoever keeps it. Called once, before anything else is
 * done: no path after a service's start waits for KMS or Vault.
 * @throws ConfigError that says what to do
 */
export async function withMasterKeys(environment: Environment): Promise<Environment> {
  const text = environment['WHARF_MASTER_KEY'];
  if (text === undefined || text === '') return environment;
  const keys: string[] = [];
  for (const part of text.split(',')) keys.push(await open(part.trim(), environment, STEPS_MAX));
  return { ...environment, WHARF_MASTER_KEY: keys.join(',') };
}

/** The text that names a master key that KMS or Vault has wrapped. @throws ConfigError that says what to do */
export async function wrapMasterKey(
  keeper: 'aws-kms' | 'vault',
  masterKey: string,
  environment: Environment,
): Promise<string> {
  const { kms, vault } = parseKeepers(environment);
  const wrapping: WrappingKeeper = keeper === 'aws-kms' ? kms() : vault();
  const text = await wrapping.wrap(masterKey);
  if ((await wrapping.open(text)) !== masterKey)
    throw new ConfigError(`${keeper} did not give back what it had wrapped; nothing is to be replaced by it.`);
  return text;
}

async function open(text: string, environment: Environment, stepsLeft: number): Promise<string> {
  const keeper = keeperOf(text, environment);
  if (keeper === undefined) return text;
  if (stepsLeft === 0)
    throw new ConfigError('A master key’s file names another file; name that one in WHARF_MASTER_KEY.');
  const parts = (await keeper.open(text)).split(',');
  const opened: string[] = [];
  for (const part of parts) opened.push(await open(part.trim(), environment, stepsLeft - 1));
  return opened.join(',');
}

function keeperOf(text: string, environment: Environment): KeyKeeper | undefined {
  if (text.startsWith('file:')) return new FileKeys();
  if (text.startsWith('aws-kms:')) return parseKeepers(environment).kms();
  if (text.startsWith('vault:')) return parseKeepers(environment).vault();
  return undefined;
}
