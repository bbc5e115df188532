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

  /** Opens a URL and follows redirects until a page, or a redirect that leaves the site. */
  async open(url: string): Promise<Visited> {
    return this.#follow(url, { method: 'GET' });
  }

  /** Presses a button of the form on a page. */
  async submit(page: Visited, fields: Readonly<Record<string, string>>): Promise<Visited> {
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    return this.post(page.url, { csrf, ...fields });
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

/** A page's text without what differs at every visit: anti-forgery tokens and challenges. */
export function withoutChance(text: string): string {
  return text.replaceAll(/name="csrf" value="[^"]*"|&quot;challenge&quot;:&quot;[^&]*/g, '');
}
