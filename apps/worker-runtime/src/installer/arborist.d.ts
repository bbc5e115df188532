/** What we use of what fetches packages, which has no types of its own. */
declare module 'pacote' {
  const pacote: {
    /** The archive of a package, its integrity checked. */
    tarball(spec: string, options: Readonly<Record<string, unknown>>): Promise<Buffer>;
  };
  export default pacote;
}

/** What we use of npm's installer, which has no types of its own. */
declare module '@npmcli/arborist' {
  /** One package of a tree, where it lies (`location`: its path below the root). */
  export interface ArboristNode {
    readonly name: string;
    readonly packageName: string | null;
    readonly version: string;
    readonly location: string;
    readonly path: string;
    readonly isRoot: boolean;
    readonly isLink: boolean;
    /** Part of its parent's archive, whose integrity covers it. */
    readonly inBundle: boolean;
    readonly optional: boolean;
    readonly resolved: string | null;
    readonly integrity: string | null;
  }

  /** A tree of packages. */
  export interface ArboristTree {
    readonly inventory: { values(): IterableIterator<ArboristNode> };
    readonly children: { get(name: string): ArboristNode | undefined };
  }

  /** Decides on a tree of packages and puts it on disk. */
  export default class Arborist {
    constructor(options: Readonly<Record<string, unknown>>);
    buildIdealTree(options: { readonly add: readonly string[] }): Promise<ArboristTree>;
    reify(): Promise<ArboristTree>;
  }
}
