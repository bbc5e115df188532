/** A package of the list, as CycloneDX describes it. */
export interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: ReadonlyArray<{ readonly alg: string; readonly content: string }>;
  readonly licenses?: ReadonlyArray<{ readonly license?: { readonly id: string }; readonly expression?: string }>;
}

/** A CycloneDX list of packages. */
export interface Sbom {
  readonly specVersion: string;
  readonly components: readonly Component[];
  readonly dependencies: ReadonlyArray<{ readonly ref: string; readonly dependsOn: readonly string[] }>;
}

/** An entry of a lock file, as npm writes it. */
export interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dev?: boolean;
}

/** What is read of a lock file. */
export interface Lock {
  readonly name: string;
  readonly version: string;
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** The CycloneDX list of the packages that a lock file holds for production. */
export function sbomOf(lock: Lock): Sbom;
