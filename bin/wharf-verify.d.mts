/** What does not agree, and where. */
export class Difference extends Error {}

/** Checks the files of an audit log against each other; returns what agrees. @throws Difference */
export function check(
  files: readonly [keyFile: string, exportFile: string, ...checkpointFiles: string[]],
): Promise<string>;
