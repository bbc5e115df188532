const MARK = '[redacted]';
const FORM_CHARACTERS_MIN = 4;
const ENCODED_CHARACTERS_MIN = 8;

/** Takes secrets out of what an upstream answered, in every usual form, before a worker sees it. */
export class Redaction {
  #forms: readonly string[];

  constructor(secrets: Iterable<string>) {
    const forms = new Set([...secrets].flatMap(formsOf));
    this.#forms = [...forms].sort((left, right) => right.length - left.length);
  }

  /** This, and one more secret. */
  with(secret: string): Redaction {
    const redaction = new Redaction([secret]);
    redaction.#forms = [...new Set([...this.#forms, ...redaction.#forms])].sort(
      (left, right) => right.length - left.length,
    );
    return redaction;
  }

  /** The text without secrets. */
  text(value: string): string {
    return this.#forms.reduce((text, form) => (text.includes(form) ? text.replaceAll(form, MARK) : text), value);
  }

  /** The values without secrets; the same object where there is nothing to take out. */
  values(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    if (this.#forms.length === 0) return values;
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.text(value)]));
  }

  /** The bytes without secrets; the same buffer where there is none. */
  bytes(value: Buffer): Buffer {
    if (!this.#forms.some((form) => value.includes(form, 0, 'utf8'))) return value;
    // latin1 maps every byte to one character and back, so binary stays as it is around what is taken out.
    const text = value.toString('latin1');
    return Buffer.from(
      this.#forms.reduce((left, form) => left.replaceAll(Buffer.from(form).toString('latin1'), MARK), text),
      'latin1',
    );
  }
}

/** What redactions are made for: a release's secrets as one version of a tenant's context has them. */
interface Secrets {
  readonly policy: { readonly secretNames: readonly string[] };
  readonly context: { readonly secrets: Readonly<Record<string, string>> };
}

/** Redactions by context, then release: a secret's forms are worked out once, and forgotten with the context. */
export class Redactions {
  readonly #known = new WeakMap<Secrets['context'], WeakMap<Secrets['policy'], Redaction>>();

  /** The redaction of a release's secrets. */
  of({ policy, context }: Secrets): Redaction {
    const ofContext = this.#known.get(context) ?? new WeakMap<Secrets['policy'], Redaction>();
    this.#known.set(context, ofContext);
    const known = ofContext.get(policy);
    if (known !== undefined) return known;
    const redaction = new Redaction(policy.secretNames.map((name) => context.secrets[name] ?? ''));
    ofContext.set(policy, redaction);
    return redaction;
  }
}

/** A secret as it is, in JSON, in JSON within JSON, in HTML and XML, in URLs and forms, in hexadecimal, and inside longer base64 texts. */
function formsOf(secret: string): string[] {
  if (secret.length < FORM_CHARACTERS_MIN) return [];
  const bytes = Buffer.from(secret);
  const encoded = encodeURIComponent(secret.toWellFormed());
  const json = JSON.stringify(secret).slice(1, -1);
  const plain = [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    ...inMarkup(secret),
    encoded,
    encoded.replaceAll('%20', '+'),
    new URLSearchParams({ s: secret }).toString().slice(2),
  ];
  const hexadecimal = [bytes.toString('hex'), bytes.toString('hex').toUpperCase()];
  const inBase64 = [0, 1, 2].flatMap((offset) => base64Inner(bytes, offset));
  return [...plain, ...[...hexadecimal, ...inBase64].filter((form) => form.length >= ENCODED_CHARACTERS_MIN)];
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
