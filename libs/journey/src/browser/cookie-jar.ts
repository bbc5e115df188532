interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

/** Keeps cookies as a browser does, as far as sign-in pages need it: host, path and removal (RFC 6265 §5). */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();

  /** Takes the cookies of an answer. */
  take(url: URL, response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const equals = pair.indexOf('=');
      if (equals < 1) continue;
      const given = new Map(attributes.map(nameAndValue));
      const cookie = {
        host: url.host,
        path: given.get('path') || '/',
        name: pair.slice(0, equals),
        value: pair.slice(equals + 1),
      };
      const key = `${cookie.host} ${cookie.path} ${cookie.name}`;
      if (isRemoval(given)) this.#cookies.delete(key);
      else this.#cookies.set(key, cookie);
    }
  }

  /** The `Cookie` header for a URL, longest paths first; undefined where there are none. */
  headerFor(url: URL): string | undefined {
    const matching = [...this.#cookies.values()]
      .filter((cookie) => cookie.host === url.host && within(url.pathname, cookie.path))
      .sort((left, right) => right.path.length - left.path.length);
    return matching.length === 0 ? undefined : matching.map((cookie) => `${cookie.name}=${cookie.value}`).join('; ');
  }
}

function nameAndValue(attribute: string): [string, string] {
  const equals = attribute.indexOf('=');
  return equals === -1
    ? [attribute.toLowerCase(), '']
    : [attribute.slice(0, equals).toLowerCase(), attribute.slice(equals + 1)];
}

function isRemoval(attributes: ReadonlyMap<string, string>): boolean {
  const age = attributes.get('max-age');
  if (age !== undefined) return Number(age) <= 0;
  const expires = attributes.get('expires');
  return expires !== undefined && Date.parse(expires) <= Date.now();
}

function within(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
}
