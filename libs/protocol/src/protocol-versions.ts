/** Versions of the protocol between callers and runtimes, both ends included. */
export interface VersionRange {
  readonly from: number;
  readonly to: number;
}

/**
 * What this release speaks. A change that the other side would misunderstand is a new version; the one before is spoken
 * for at least one release more, so that two releases of any service work side by side.
 *
 *     2  challenge and proof
 *     3  the hello names a range; egress contexts hold the secrets and the hosts of environments
 *     4  runtimes are asked for hints of drift
 *     5  a runtime asks for tokens of the person who calls
 *     6  workers ask about documents, and open streams are told of their changes
 *     7  operators see runtimes, drain them and end workers there
 *     8  workers hold answers to the result guard that a call brings
 *     9  runtimes are asked which breakers have changed
 *    10  operators end everything that runs at a runtime
 */
export const SPOKEN: VersionRange = { from: 2, to: 10 };

/** The version of a runtime's hello without a range, and of a caller's proof without a version. */
export const UNSAID = 2;

/** From this version on a runtime keeps environments apart. */
export const ENVIRONMENTS_SINCE = 3;

/** From this version on a runtime can be asked for hints of drift; one of before would end the connection. */
export const DRIFT_HINTS_SINCE = 4;

/** From this version on a caller answers for the person who calls. */
export const LOGINS_SINCE = 5;

/** From this version on documents are asked about. */
export const DOCUMENTS_SINCE = 6;

/** From this version on a runtime takes orders of operators, and tells its callers when it takes no new work. */
export const OPERATORS_SINCE = 7;

/** From this version on answers are held to the result guard of their server. */
export const RESULT_GUARDS_SINCE = 8;

/** From this version on a runtime can be asked which breakers have changed. */
export const BREAKER_CHANGES_SINCE = 9;

/** From this version on a runtime ends all its workers where an operator says so. */
export const KILLS_SINCE = 10;

/** The highest version that both sides speak; undefined where there is none. */
export function sharedVersion(ours: VersionRange, theirs: VersionRange): number | undefined {
  const highest = Math.min(ours.to, theirs.to);
  return highest >= Math.max(ours.from, theirs.from) ? highest : undefined;
}

/** Why two sides do not understand each other, and what to do. */
export function noSharedVersion(where: string, ours: VersionRange, theirs: VersionRange): string {
  const older = ours.to < theirs.from ? 'this service' : 'the worker-runtime';
  return (
    `The worker-runtime at ${where} speaks versions ${theirs.from} to ${theirs.to} of our protocol, this service ` +
    `${ours.from} to ${ours.to}. Upgrade ${older}: releases next to each other work together.`
  );
}
