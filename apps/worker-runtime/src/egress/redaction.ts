import { formsOf } from './secret-forms.js';

const MARK = '[redacted]';

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
