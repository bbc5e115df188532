/** An `<input>` or `<button>` of a form. */
export interface FormField {
  readonly type: string;
  readonly name: string;
  readonly value: string;
  readonly checked: boolean;
  /** What a person reads on a button. */
  readonly label: string;
}

/** A form as its page shows it. */
export interface HtmlForm {
  readonly action: URL;
  readonly method: 'GET' | 'POST';
  readonly fields: readonly FormField[];
  readonly buttons: readonly FormField[];
}

const FORM = /<form\b([^>]*)>([\s\S]*?)<\/form>/gi;
const INPUT = /<input\b([^>]*)>/gi;
const BUTTON = /<button\b([^>]*)>([\s\S]*?)<\/button>/gi;
const ATTRIBUTE = /([a-z][a-z0-9-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The forms of a page in their order. */
export function formsOf(page: URL, html: string): HtmlForm[] {
  return [...html.matchAll(FORM)].map(([, head = '', body = '']) => {
    const attributes = attributesOf(head);
    const inputs = [...body.matchAll(INPUT)].map(([, input = '']) => fieldOf(attributesOf(input), 'text', ''));
    const buttons = [...body.matchAll(BUTTON)].map(([, button = '', text = '']) =>
      fieldOf(attributesOf(button), 'submit', textOf(text)),
    );
    return {
      action: new URL(attributes.get('action') ?? '', page),
      method: attributes.get('method')?.toUpperCase() === 'POST' ? 'POST' : 'GET',
      fields: inputs.filter((input) => input.type !== 'submit'),
      buttons: [
        ...buttons.filter((button) => button.type === 'submit'),
        ...inputs.filter((input) => input.type === 'submit'),
      ],
    };
  });
}

/** The text a person would read, without tags, for error messages. */
export function textOf(html: string): string {
  return decode(html.replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}

function fieldOf(attributes: ReadonlyMap<string, string>, type: string, label: string): FormField {
  return {
    type: attributes.get('type')?.toLowerCase() ?? type,
    name: attributes.get('name') ?? '',
    value: attributes.get('value') ?? '',
    checked: attributes.has('checked'),
    label: label === '' ? (attributes.get('value') ?? '') : label,
  };
}

function attributesOf(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(ATTRIBUTE)].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decode(double ?? single ?? bare ?? ''),
    ]),
  );
}

function decode(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return ENTITIES[name ?? ''] ?? whole;
    },
  );
}
