import { matchesAny, type NameFilter } from '#libs/protocol';

/**
 * Whether a profile lets an address of a resource through, however it is spelled. Servers read `FILE:///open/../a` as
 * `file:///a` (WHATWG URL, as the SDK does) and take escapes out, so an address is left out where any of its spellings is,
 * and let in where all of them are.
 */
export function addressFilter({ include, exclude }: NameFilter): (uri: string) => boolean {
  const included = include?.flatMap(spellingsOf);
  const excluded = exclude?.flatMap(spellingsOf);
  return (uri) => {
    const spellings = spellingsOf(uri);
    if (included !== undefined && !spellings.every((spelling) => matchesAny(included, spelling))) return false;
    return excluded === undefined || !spellings.some((spelling) => matchesAny(excluded, spelling));
  };
}

/** An address as it stands, as a URL is written, without escapes, and what that is as a URL. */
function spellingsOf(uri: string): string[] {
  const plain = unescaped(asUrl(uri));
  return [...new Set([uri, asUrl(uri), plain, asUrl(plain)])];
}

function asUrl(text: string): string {
  return URL.parse(text)?.href ?? text;
}

/** What is no escape of UTF-8 stays as it is. */
function unescaped(text: string): string {
  return text.replaceAll(/(?:%[\da-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}
