/** Bundles the command line into one file and returns its path. */
export function buildCli(): Promise<string>;
