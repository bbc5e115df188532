import { CliProblem } from '../problem.js';

/** Where an installation is, written in one way, without a trailing slash. @throws CliProblem for what is no such URL */
export function installationUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const web = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !web || url.username !== '' || url.password !== '')
    throw new CliProblem(`"${text}" is no URL of an installation.`, 'Write one such as https://wharf.example.');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
