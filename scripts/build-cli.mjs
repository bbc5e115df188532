// Bundles the command line into dist/cli: one file and the package.json that npx needs.
import { build } from 'esbuild';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './build.mjs';

/** Bundles and returns the file. */
export async function buildCli() {
  const folder = path.join(root, 'dist', 'cli');
  const outfile = path.join(folder, 'wharf.mjs');
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [path.join(root, 'apps/cli/src/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['wharf-source'],
    // Packages in CommonJS ask for Node's own modules with require.
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire as wharfRequire } from 'node:module';\nconst require = wharfRequire(import.meta.url);",
    },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'eof',
    logLevel: 'error',
  });
  await chmod(outfile, 0o755);
  const manifest = {
    name: 'wharf-cli',
    version,
    type: 'module',
    license: 'UNLICENSED',
    bin: { wharf: 'wharf.mjs' },
    engines: { node: '>=20.19' },
  };
  await writeFile(path.join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return outfile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await buildCli());
