import type { SeenCall } from './traffic.fixture.js';

/** Who knows which releases a call reached. */
interface Counter {
  releasesOf(id: string): readonly string[];
}

/** What went wrong with calls: failures, calls that ran twice or never, and answers of another release than ran. */
export function faultsIn(counter: Counter, calls: readonly SeenCall[]): unknown[] {
  return calls.flatMap(({ id, era, release, failure }) => {
    const ran = counter.releasesOf(id);
    if (failure === undefined && ran.length === 1 && ran[0] === release) return [];
    return [{ id, era, release, failure, ran }];
  });
}

/** How long after a moment the last call was sent that a release answered or had asked its upstream for. */
export function lastedIn(counter: Counter, calls: readonly SeenCall[], name: string, sinceMs: number): number {
  const saw = calls.filter(({ id, release }) => release === name || counter.releasesOf(id).includes(name));
  return Math.max(0, ...saw.map(({ sentMs }) => sentMs - sinceMs));
}

/** How long after a moment both gateways may still divide calls as before; a call sent just before it may come after. */
const SETTLED_MS = { before: 500, after: 2_500 };

/** Callers whom two releases answered within a step, or whom the candidate had and lost to the stable release again. */
export function unsteadyCallers(calls: readonly SeenCall[], momentsMs: readonly number[]): string[] {
  const settled = calls.filter(({ sentMs }) =>
    momentsMs.every((at) => sentMs < at - SETTLED_MS.before || sentMs > at + SETTLED_MS.after),
  );
  const stepOf = ({ sentMs }: SeenCall): number => momentsMs.filter((at) => at <= sentMs).length;
  return [...Map.groupBy(settled, ({ caller }) => caller)].flatMap(([caller, own]) => {
    const met = own.toSorted((left, right) => left.sentMs - right.sentMs);
    const unlike = met.filter((call, at) => {
      const before = met[at - 1];
      if (before === undefined || before.release === call.release) return false;
      return call.era === '2025' || stepOf(before) === stepOf(call) || before.release === 'two';
    });
    return unlike.map(({ release, sentMs }) => `${caller} at ${sentMs}: ${release}`);
  });
}

/** Of which protocol eras calls were. */
export function erasOf(calls: readonly SeenCall[]): string[] {
  return [...new Set(calls.map(({ era }) => era))].toSorted();
}
