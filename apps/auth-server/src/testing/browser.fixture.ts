interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly origin: string;
}

/** A page or redirect as a browser got it. */
export interface Visited {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A browser without JavaScript: keeps cookies by path, follows redirects on its own site, fills in forms. */
export class Browser {
  #cookies: Cookie[] = [];

  constructor(
    private readonly origin: string,
    /** Other sites whose redirects are followed too. */
    private readonly others: readonly string[] = [],
  ) {}

  /** What its cookies say, without their signatures. */
  get cookieValues(): string[] {
    return this.#cookies.filter(({ name }) => !name.endsWith('.sig')).map(({ value }) => value);
  }

  /** Opens a URL and follows redirects until a page, or a redirect that leaves the site. */
  async open(url: string): Promise<Visited> {
    return this.#follow(url, { method: 'GET' });
  }

  /** Presses a button of the form on a page. */
  async submit(page: Visited, fields: Readonly<Record<string, string>>): Promise<Visited> {
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    const told = /name="told" value="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&gt;', '>') ?? '';
    return this.post(page.url, { csrf, told, ...fields });
  }

  /** Sends a form as it is given. */
  async post(url: string, fields: Readonly<Record<string, string>>): Promise<Visited> {
    return this.#follow(url, { method: 'POST', body: new URLSearchParams(fields).toString() });
  }

  async #follow(start: string, first: { method: string; body?: string }): Promise<Visited> {
    let url = start;
    let request = first;
    for (let hops = 0; hops < 10; hops += 1) {
      const visited = await this.#fetch(url, request);
      const location = visited.headers.get('location');
      if (location === null) return visited;
      if (request.method === 'POST' && visited.status !== 303) throw new Error(`${visited.status} after a form`);
      const next = new URL(location, url);
      if (next.origin !== this.origin && !this.others.includes(next.origin)) return visited;
      url = next.href;
      request = { method: 'GET' };
    }
    throw new Error('too many redirects');
  }

  async #fetch(url: string, request: { method: string; body?: string }): Promise<Visited> {
    const { pathname, origin } = new URL(url);
    const sent = this.#cookies.filter(
      (cookie) =>
        cookie.origin === origin && (pathname === cookie.path || pathname.startsWith(cookie.path.replace(/\/?$/, '/'))),
    );
    const response = await fetch(url, {
      ...request,
      redirect: 'manual',
      headers: {
        cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; '),
        ...(request.body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
    });
    for (const line of response.headers.getSetCookie()) this.#keep(origin, line);
    return { url, status: response.status, headers: response.headers, text: await response.text() };
  }

  #keep(origin: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const [name = '', ...value] = pair.split('=');
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
    this.#cookies = this.#cookies.filter(
      (cookie) => cookie.origin !== origin || cookie.name !== name || cookie.path !== path,
    );
    if (value.join('=') !== '') this.#cookies.push({ name, value: value.join('='), path, origin });
  }
}

/** What a page says for whoever makes the app: the error and its description. @throws Error when it is a redirect */
export function refusalOn(page: Visited): string {
  const said = /For whoever makes the app: (\w+)(?: \((.*)\))?\./.exec(page.text);
  if (page.status !== 400 || page.headers.get('location') !== null || said === null) {
    throw new Error(`no refusal but ${page.status} ${page.headers.get('location')}: ${page.text}`);
  }
  return `${said[1]} ${said[2] ?? ''}`;
}

/** The error and its description that a client hears of at its redirect URI. @throws Error when it is a page, or lacks issuer or state */
export function refusalAt(answer: Visited): string {
  const location = answer.headers.get('location');
  if (answer.status !== 303 || location === null) throw new Error(`no redirect but ${answer.status}: ${answer.text}`);
  return refusalIn(new URL(location), `${new URL(answer.url).origin}/auth`);
}

/** The same, where a link on a page about a refusal leads. @throws Error without such a link */
export function refusalBehind(page: Visited): { readonly host: string; readonly refusal: string } {
  const href = /<a href="(https:[^"]*)" rel="noreferrer">/.exec(page.text)?.[1]?.replaceAll('&amp;', '&');
  if (href === undefined) throw new Error(`no way back on ${page.status}: ${page.text}`);
  const url = new URL(href);
  return { host: url.host, refusal: refusalIn(url, `${new URL(page.url).origin}/auth`) };
}

function refusalIn({ href, hash, searchParams }: URL, issuer: string): string {
  // As RFC 6749 §4.2.2.1 has it for `response_type=token`.
  const answer = hash === '' ? searchParams : new URLSearchParams(hash.slice(1));
  if (answer.get('iss') !== issuer || answer.get('state') !== 'the-state')
    throw new Error(`not by the issuer: ${href}`);
  return `${answer.get('error')} ${answer.get('error_description') ?? ''}`;
}

/** A page's text without what differs at every visit: anti-forgery tokens and challenges. */
export function withoutChance(text: string): string {
  return text.replaceAll(/name="csrf" value="[^"]*"|&quot;challenge&quot;:&quot;[^&]*/g, '');
}
