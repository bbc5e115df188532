const FORM_CHARACTERS_MIN = 4;
const ENCODED_CHARACTERS_MIN = 8;

/** A secret as it is, in JSON and JSON within JSON as any language writes it, in HTML and XML, in URLs and forms, in hexadecimal, and inside longer base64 texts. */
export function formsOf(secret: string): string[] {
  if (secret.length < FORM_CHARACTERS_MIN) return [];
  const bytes = Buffer.from(secret);
  const plain = [secret, ...inJson(secret), ...inMarkup(secret), ...inUrls(secret)];
  const hexadecimal = [bytes.toString('hex'), bytes.toString('hex').toUpperCase()];
  const inBase64 = [0, 1, 2].flatMap((offset) => base64Inner(bytes, offset));
  const encoded = [...hexadecimal, ...inBase64].filter((form) => form.length >= ENCODED_CHARACTERS_MIN);
  return [...new Set([...plain, ...encoded])];
}

/** As escaped in HTML and XML, with and without the quotes, which text need not escape. */
function inMarkup(secret: string): string[] {
  const text = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const double = text.replaceAll('"', '&quot;');
  return [text, double, ...['&#39;', '&#x27;', '&apos;'].map((quote) => double.replaceAll("'", quote))];
}

/** The characters of base64 that depend on these bytes alone when they start `offset` bytes into a group of three. */
function base64Inner(bytes: Buffer, offset: number): string[] {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const from = offset === 0 ? 0 : offset + 1;
  const to = Math.floor(((offset + bytes.length) * 8) / 6);
  const inner = text.slice(from, to);
  return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
}

type Writing = (text: string) => string;

const asItIs: Writing = (text) => text;
const unicode = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
const raised: Writing = (text) => text.replaceAll(/\\u[0-9a-f]{4}/g, (escape) => `\\u${escape.slice(2).toUpperCase()}`);

/** What writers of JSON escape beside what they must: PHP slashes, Go what HTML knows, Python and PHP all beyond ASCII. */
const JSON_WRITINGS: ReadonlyArray<readonly Writing[]> = [
  [asItIs, (text) => text.replaceAll('/', '\\/')],
  [asItIs, (text) => text.replaceAll(/[<>&\u2028\u2029]/g, unicode)],
  [asItIs, (text) => text.replaceAll(/[\u007f-\uffff]/g, unicode)],
  [asItIs, raised],
];

/** Every way to write a text in JSON, and each of them in JSON again. */
function inJson(secret: string): string[] {
  const written = writings(JSON.stringify(secret).slice(1, -1), JSON_WRITINGS);
  return [...written, ...written.flatMap((text) => writings(JSON.stringify(text).slice(1, -1), JSON_WRITINGS))];
}

const percent = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

/** What writers of URLs leave and encode in their own way, forms last. */
const URL_WRITINGS: ReadonlyArray<readonly Writing[]> = [
  [asItIs, (text) => text.replaceAll(/[!'()*]/g, percent), (text) => text.replaceAll(/[!'()~]/g, percent)],
  [asItIs, (text) => text.replaceAll('%2F', '/')],
  [asItIs, (text) => text.replaceAll('%20', '+')],
  [asItIs, (text) => text.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())],
];

function inUrls(secret: string): string[] {
  const inForm = new URLSearchParams({ s: secret }).toString().slice(2);
  return [inForm, ...writings(encodeURIComponent(secret.toWellFormed()), URL_WRITINGS)];
}

/** A text under each choice of one writing from every list, each result once. */
function writings(text: string, lists: ReadonlyArray<readonly Writing[]>): string[] {
  return lists.reduce<string[]>(
    (texts, list) => [...new Set(texts.flatMap((one) => list.map((write) => write(one))))],
    [text],
  );
}
