import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const LINK = /\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)/gm;
const FENCE = /^\s*```/;

/** Relative links of a Markdown file, as they stand there, that lead to no file or to no heading of one. */
export function brokenLinks(file: string): string[] {
  const links = [...proseOf(file).matchAll(LINK)].map(([, inline, defined]) => inline ?? defined ?? '');
  return links.filter((link) => !/^[a-z]+:/i.test(link) && !resolves(file, link));
}

function resolves(file: string, link: string): boolean {
  const [place = '', anchor] = link.split('#');
  const target = place === '' ? file : path.join(path.dirname(file), place);
  if (!existsSync(target)) return false;
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(target).has(anchor);
}

/** The names of a file's headings, as GitHub makes them; a heading that comes again has a number. */
function anchorsOf(file: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(file).matchAll(/^#{1,6} (.*)$/gm)) {
    const name = heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    let numbered = name;
    for (let number = 1; anchors.has(numbered); number += 1) numbered = `${name}-${number}`;
    anchors.add(numbered);
  }
  return anchors;
}

/** A file's lines outside of code. */
function proseOf(file: string): string {
  let inCode = false;
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines
    .map((line) => {
      if (FENCE.test(line)) inCode = !inCode;
      return inCode ? '' : line;
    })
    .join('\n');
}
