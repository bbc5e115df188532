const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a host name is this machine's own. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.has(hostname);
}

/** Whether text is a browser's `Origin` as it is sent (RFC 6454 §7) that may be trusted: https, or http of the own machine. */
export function isWebOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)));
}
