// Lists what is in the image as CycloneDX: every package that npm has installed, by its own record of that.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SPEC_VERSION = '1.6';
const PLACE = 'node_modules/';

/** The name of the package at a place of the lock file, as `@scope/name`. */
const nameAt = (place) => place.slice(place.lastIndexOf(PLACE) + PLACE.length);

/** A package URL: https://github.com/package-url/purl-spec. */
const purlOf = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** `sha512-base64` as CycloneDX writes a hash. */
function hashesOf(integrity) {
  return (integrity ?? '').split(' ').flatMap((each) => {
    const [algorithm, digest] = each.split('-', 2);
    const alg = { sha512: 'SHA-512', sha256: 'SHA-256', sha1: 'SHA-1' }[algorithm];
    return alg === undefined ? [] : [{ alg, content: Buffer.from(digest, 'base64').toString('hex') }];
  });
}

/** An expression, an id, or nothing where a package names no licence. */
function licencesOf(license) {
  if (typeof license !== 'string') return {};
  return { licenses: [/[ (]/.test(license) ? { expression: license } : { license: { id: license } }] };
}

/** Where Node finds a package from a place: in the nearest node_modules, going up. */
function placeOf(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf(`/${PLACE}`)))) {
    const place = `${at === '' ? '' : `${at}/`}${PLACE}${name}`;
    if (packages[place] !== undefined) return place;
    if (at === '' || !at.includes(`/${PLACE}`)) {
      const top = `${PLACE}${name}`;
      return packages[top] === undefined ? undefined : top;
    }
  }
}

/**
 * The CycloneDX list of the packages that a lock file holds for production: what only builds or tests is not in the image, nor
 * are the optional packages of our own. `npm sbom --omit` leaves out packages that production shares with those.
 */
export function sbomOf({ name, version, packages }) {
  const left = Object.keys(packages['']?.optionalDependencies ?? {});
  const installed = Object.fromEntries(
    Object.entries(packages).filter(([place, { dev }]) => place !== '' && !dev && !left.includes(nameAt(place))),
  );
  const refOf = (place) => place;
  const components = Object.entries(installed).map(([place, entry]) => {
    const called = entry.name ?? nameAt(place);
    return {
      type: 'library',
      'bom-ref': refOf(place),
      name: called,
      version: entry.version,
      purl: purlOf(called, entry.version),
      hashes: hashesOf(entry.integrity),
      ...licencesOf(entry.license),
    };
  });
  const dependencies = Object.entries(installed).map(([place, entry]) => ({
    ref: refOf(place),
    dependsOn: Object.keys({ ...entry.dependencies, ...entry.peerDependencies }).flatMap((needed) => {
      const found = placeOf(installed, place, needed);
      return found === undefined || found === place ? [] : [refOf(found)];
    }),
  }));
  const component = { type: 'application', 'bom-ref': name, name, version, purl: purlOf(name, version) };
  return {
    $schema: `http://cyclonedx.org/schema/bom-${SPEC_VERSION}.schema.json`,
    bomFormat: 'CycloneDX',
    specVersion: SPEC_VERSION,
    version: 1,
    metadata: { component },
    components,
    dependencies,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
  const read = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
  const { packages } = read('node_modules/.package-lock.json');
  const own = read('package.json');
  const { name, version } = own;
  process.stdout.write(`${JSON.stringify(sbomOf({ name, version, packages: { ...packages, '': own } }), null, 2)}\n`);
}
