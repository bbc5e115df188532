/**
 * Characters that a person does not see but a model reads (OWASP MCP03, tool poisoning): zero-width and other invisible
 * format characters, bidirectional controls, tag characters, variation selectors that carry data, control characters.
 */
export const HIDDEN_CHARACTER = new RegExp(
  '[\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B-\\u200F\\u2028-\\u202E\\u2060-\\u206F\\uFEFF\\uFFF9-\\uFFFB\\u{E0000}-\\u{E01EF}]',
  'u',
);

/** An invisible character as an error names it: `U+200B`. */
export function nameOfCharacter(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
