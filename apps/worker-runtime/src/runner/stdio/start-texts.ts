import type { StartText } from '#libs/protocol';

/** What the parts of a start text stand for in one process. */
export interface StartPlaces {
  readonly bundle: string;
  readonly home: string;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Thrown when a server cannot be started for want of a secret. */
export class MissingSecret extends Error {
  override readonly name = 'MissingSecret';

  constructor(readonly secret: string) {
    super(`there is no secret ${secret}`);
  }
}

/** A start text in plain. @throws MissingSecret */
export function plainText(text: StartText, { bundle, home, secrets }: StartPlaces): string {
  return text
    .map((part) => {
      if (typeof part === 'string') return part;
      if ('folder' in part) return part.folder === 'home' ? home : bundle;
      const value = Object.hasOwn(secrets, part.secret) ? secrets[part.secret] : undefined;
      if (value === undefined) throw new MissingSecret(part.secret);
      return value;
    })
    .join('');
}

/** Whether any of these texts holds a secret. */
export function holdSecret(texts: readonly StartText[]): boolean {
  return texts.flat().some((part) => typeof part === 'object' && 'secret' in part);
}
