import { secretPlaceOf, storedSecretName } from '#libs/protocol';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { otherThanProduction, PRODUCTION } from '../environments/environment-name.js';
import type { SecretRow } from './secrets.repository.js';
import type { getSecret } from './secrets.schema.js';

type Named = Pick<InputOf<typeof getSecret>, 'params' | 'query'>;

/** A secret's name as it is stored: with its environment. */
export function storedName({ params, query }: Named): string {
  return storedSecretName(otherThanProduction(query.environment), params.name);
}

/** A secret as it is shown. */
export function view(row: SecretRow): AnswerOf<typeof getSecret> {
  const { environment = PRODUCTION, name } = secretPlaceOf(row.name);
  const { version, created_at: created, updated_at: updated } = row;
  return { name, environment, version, created_at: created.toISOString(), updated_at: updated.toISOString() };
}
