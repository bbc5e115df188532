/** The languages that pages and mails are written in; the first is for everybody else. */
export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

const HEADER_CHARS_MAX = 1_000;

/** The best of our languages for an `Accept-Language` header (RFC 9110 §12.5.4): by its weights, regions aside. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const wanted = (acceptLanguage ?? '').slice(0, HEADER_CHARS_MAX).toLowerCase().split(',').map(rangeOf);
  const best = wanted.filter(({ weight }) => weight > 0).sort((one, other) => other.weight - one.weight);
  for (const { tag } of best) {
    const language = LANGUAGES.find((ours) => tag === ours || tag.startsWith(`${ours}-`));
    if (language !== undefined) return language;
  }
  return LANGUAGES[0];
}

function rangeOf(text: string): { readonly tag: string; readonly weight: number } {
  const [tag = '', ...parameters] = text.split(';').map((part) => part.trim());
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = given === undefined ? 1 : Number(given.slice(2));
  return { tag, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}
