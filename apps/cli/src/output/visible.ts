/** A line in which nothing is hidden: texts of others may hold what a terminal obeys or does not show. */
export function visible(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, written);
}

/**
 * Text that a terminal shows and obeys in nothing: controls but line breaks and tabs, and what turns the order of
 * writing around, are written out. Joiners within words and emoji stay.
 */
export function harmless(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, written);
}

/** JSON that a terminal does not obey either: it may hold the controls above ASCII as they are. */
export function harmlessJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(/[\u007f-\u009f]/g, (found) => `\\u00${found.charCodeAt(0).toString(16)}`);
}

function written(found: string): string {
  return `\\u{${found.codePointAt(0)?.toString(16)}}`;
}
