import { createRequire } from 'node:module';
import path from 'node:path';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { sbomOf, type Component, type Lock, type Sbom } from '../../scripts/sbom.mjs';

/** Licences under which a package may be part of what we hand out: none asks more than to be named. */
const ACCEPTED = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC-BY-3.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PSF-2.0',
  'Unlicense',
]);
/** Packages that name none where npm looks for it, and the licence whose text they carry. */
const READ_IN_ITS_FILE: Readonly<Record<string, string>> = {
  'busboy@1.6.0': 'MIT',
  'passport-strategy@1.0.0': 'MIT',
  'pause@0.0.1': 'MIT',
  'streamsearch@1.1.0': 'MIT',
};

/** What is wrong with it by the schema of CycloneDX. */
function faultsBySchema(sbom: Sbom): readonly unknown[] {
  const library = path.dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json'));
  const schema = (name: string): object =>
    JSON.parse(readFileSync(path.join(library, 'res', 'schema', `${name}.SNAPSHOT.schema.json`), 'utf8')) as object; // the specification's own
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat('iri-reference', true).addFormat('idn-email', true);
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  const validate = ajv.compile(schema(`bom-${sbom.specVersion}`));
  validate(sbom);
  return validate.errors ?? [];
}

const licencesOf = ({ licenses = [] }: Component): string[] =>
  licenses.flatMap(({ license, expression = '' }) => license?.id ?? expression.replaceAll(/[()]/g, '').split(' OR '));

/** Packages that may not be handed out, with what they are under. */
const refused = (components: readonly Component[]): string[] =>
  components.flatMap((component) => {
    const id = `${component.name}@${component.version}`;
    const licences = [...licencesOf(component), READ_IN_ITS_FILE[id] ?? ''];
    return licences.some((licence) => ACCEPTED.has(licence)) ? [] : [`${id}: ${licences.join(', ')}`];
  });

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock; // npm's own format
const sbom = sbomOf(lock);

test('the list of what is in the image is as CycloneDX describes, and a wrong one is noticed', () => {
  expect(faultsBySchema(sbom)).toEqual([]);
  const [first] = sbom.components;
  expect(
    faultsBySchema({ ...sbom, components: [{ ...first, hashes: [{ alg: 'none', content: '' }] } as Component] }),
  ).not.toEqual([]);
});

test('it holds each package that production runs on, by its exact version and hash, and none that only builds or tests', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>; // npm's own format
  };
  const names = new Set(sbom.components.map(({ name }) => name));
  for (const [name, version] of Object.entries(dependencies))
    expect(sbom.components).toContainEqual(expect.objectContaining({ name, version }));
  for (const name of ['jest', 'knip', 'playwright-core', 'kubernetes-models', 'esbuild']) {
    expect(devDependencies).toHaveProperty([name]);
    expect(names.has(name)).toBe(false);
  }
  expect(sbom.components.length).toBeGreaterThan(400);
  for (const { purl, hashes } of sbom.components) {
    expect(purl).toMatch(/^pkg:npm\/.+@.+/);
    expect([purl, hashes]).toEqual([purl, [expect.objectContaining({ alg: 'SHA-512' })]]);
  }
});

test('it says who needs whom, and whatever is needed is in it', () => {
  const refs = new Map(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  for (const [place, { dependencies = {} }] of Object.entries(lock.packages).filter(([at]) => refs.has(at)))
    for (const name of Object.keys(dependencies))
      expect([place, refs.get(place)]).toEqual([
        place,
        expect.arrayContaining([expect.stringMatching(new RegExp(`(?:^|/)node_modules/${name}$`))]),
      ]);
});

test('every package is under a licence that lets us hand it out, and another one is noticed', () => {
  expect(refused(sbom.components)).toEqual([]);
  const BARE = { 'bom-ref': '', purl: 'pkg:npm/x@1', hashes: [] };
  const copyleft = { name: 'x', version: '1', ...BARE, licenses: [{ license: { id: 'GPL-3.0-only' } }] };
  const silent = { name: 'y', version: '1', ...BARE };
  expect(refused([copyleft, silent])).toHaveLength(2);
});
