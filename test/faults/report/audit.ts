import { until } from '#libs/testing';
import { Client } from 'pg';
import type { Platform } from '../platform/platform.js';
import type { Call } from '../traffic/ledger.js';
import { CODES, toldBy } from '../traffic/told.js';

/** Answers that come after a call was taken up, whatever became of it. */
const AFTER_INTENT = new Set([200, 502, 504]);
const FAILED = /^(worker_failed|deadline|protocol_error)$/;
const ANY = /^(ok|tool_error|protocol_error|worker_failed|deadline|unavailable|cancelled)$/;
/**
 * How a call's record may say that it ended, by what its client was told. The gateway makes both of one ending
 * (`Dispatcher`): a result is never recorded as failed. Only where a record could not be committed is a call that
 * succeeded answered as unavailable.
 */
const OUTCOMES = new Map<string | number, RegExp>([
  ['result', /^(ok|tool_error)$/],
  ['error', /^protocol_error$/],
  [502, FAILED],
  [504, FAILED],
  [CODES.worker, FAILED],
  [CODES.late, FAILED],
  [503, ANY],
  [CODES.unavailable, ANY],
]);

/** Outcomes of calls in the audit log, by the digest of their arguments. */
export type Records = ReadonlyMap<string, readonly string[]>;

/** Ends the gateways in order, twice, so that they ship what they have and what those before them left; reads the log then. */
export async function readRecords({ replicas, postgres }: Platform): Promise<Records> {
  for (let round = 1; round <= 2; round += 1) {
    await Promise.all(replicas.gateway.map((one) => one.restart()));
  }
  const owner = new Client({ connectionString: postgres.ownUrl });
  await owner.connect();
  await until(async () => {
    const { rows } = await owner.query<{ arriving: boolean }>(`select exists (select from audit_records) as arriving`);
    return rows[0]?.arriving === false;
  }, 'the number of every record');
  const { rows } = await owner.query<{ digest: string; outcome: string }>(
    `select details ->> 'arguments_digest' as digest, outcome from audit_log
     where event = 'call.completed' and details ->> 'method' = 'tools/call'`,
  );
  await owner.end();
  const byDigest = Map.groupBy(rows, ({ digest }) => digest);
  return new Map([...byDigest].map(([digest, same]) => [digest, same.map(({ outcome }) => outcome)]));
}

/** What is wrong with a call's record; undefined where nothing is. `ran`: whether an upstream heard it. */
export function faultOfRecord(call: Call, ran: boolean, records: Records): 'lost' | 'wrong' | undefined {
  const outcomes = records.get(call.digest) ?? [];
  const status = call.answer?.status ?? 0;
  const owed = ran || AFTER_INTENT.has(status);
  if (outcomes.length === 0) return owed ? 'lost' : undefined;
  if (outcomes.length > 1) return 'wrong';
  const expected = owed ? OUTCOMES.get(toldBy(call)) : undefined;
  return expected === undefined || expected.test(outcomes[0] ?? '') ? undefined : 'wrong';
}
