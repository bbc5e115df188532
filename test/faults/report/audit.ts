import { until } from '#libs/testing';
import { Client } from 'pg';
import type { Platform } from '../platform/platform.js';
import type { Call } from '../traffic/ledger.js';

/** Answers that come after a call was taken up, whatever became of it. */
const AFTER_INTENT = new Set([200, 502, 504]);
/** How a call's record may say that it ended, by the status of its answer. */
const OUTCOMES = new Map([
  [200, /^(ok|tool_error|protocol_error)$/],
  [502, /^(worker_failed|deadline|protocol_error)$/],
  [504, /^(worker_failed|deadline|protocol_error)$/],
  // The upstream heard it and the client was told that it is unavailable: what became of it is not lost.
  [503, /^(ok|tool_error|protocol_error|worker_failed|deadline|unavailable|cancelled)$/],
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
  // A stream had begun when the call failed: the failure is a message in it.
  const told = status === 200 && call.answer?.text.includes('"error":{') === true ? 503 : status;
  const expected = owed ? OUTCOMES.get(told) : undefined;
  return expected === undefined || expected.test(outcomes[0] ?? '') ? undefined : 'wrong';
}
