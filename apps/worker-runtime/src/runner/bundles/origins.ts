import { at, type Problems } from '../build-checks/problems.js';

/** The origins that a server may reach, each once and in the one form that all URLs give it; what is wrong is noted. */
export function readOrigins(problems: Problems, given: readonly string[] = []): string[] {
  const origins = new Set<string>();
  for (const [index, text] of given.entries()) {
    const url = URL.parse(text);
    if (url === null || url.origin === 'null' || `${url.origin}/` !== url.href)
      problems.add(at('/origins', index), 'An origin is a scheme, a host and a port: https://api.example.com');
    else origins.add(url.origin);
  }
  return [...origins].sort();
}
