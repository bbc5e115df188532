const NOT_STORED = '\uFFFD';
/** Every escape of a JSON text; `JSON.stringify` writes a surrogate as one only where its other half is missing. */
const ESCAPES = /\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g;

/** A text as PostgreSQL can keep it: U+0000 and surrogates without their other half become U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', NOT_STORED);
}

/** The first characters of a text, as PostgreSQL can keep them; no character is cut apart. */
export function cutText(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return storableText(text);
  const characters = Array.from(text.slice(0, 2 * charactersMax)).slice(0, charactersMax);
  return storableText(characters.join(''));
}

/** A value as JSON whose every text and name PostgreSQL can keep, however deep it is. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.includes('\\u')
    ? json.replace(ESCAPES, (whole, escape: string) => (escape.length === 1 ? whole : NOT_STORED))
    : json;
}
