import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where a file names an image of somebody else's. */
export interface Place {
  readonly file: string;
  readonly line: number;
  /** `name:version@digest`, as it is written there. */
  readonly text: string;
}

/** `image:` of compose and Kubernetes, and what the Dockerfile builds upon; our own image is named without a version. */
const NAMED = /^(\s*(?:-\s+)?image:\s+|ARG \w+_IMAGE=|FROM )['"]?([a-z0-9][^\s'"$]*[:@][^\s'"]+)['"]?/;
/** Made here, so that no registry has it. */
const OUR_OWN = /^wharf:/;

/** The files that name images, relative to a folder. */
function filesOf(root: string): string[] {
  const manifests = readdirSync(path.join(root, 'k8s'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => path.join('k8s', file));
  return ['Dockerfile', 'docker-compose.yml', ...manifests.toSorted()];
}

/** Every place below a folder that names an image which somebody else has made. */
export function findPlaces(root: string): Place[] {
  return filesOf(root).flatMap((file) =>
    readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((text, index) => {
        const named = NAMED.exec(text)?.[2];
        return named === undefined || OUR_OWN.test(named) ? [] : [{ file, line: index + 1, text: named }];
      }),
  );
}

/** Writes other text at places, each file once. */
export function rewrite(root: string, places: ReadonlyArray<Place & { readonly wanted: string }>): void {
  for (const [file, own] of Map.groupBy(places, (place) => place.file)) {
    const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
    for (const { line, text, wanted } of own) lines[line - 1] = (lines[line - 1] ?? '').replace(text, wanted);
    writeFileSync(path.join(root, file), lines.join('\n'));
  }
}
