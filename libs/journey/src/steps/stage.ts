/** Hears every step that succeeded and what came of it, in one line. */
export type Report = (step: string, result: string) => void;

/** What a step gives to the next ones, and the line it prints. */
export interface StepResult<Value> {
  readonly value: Value;
  readonly says: string;
}

/** Runs one named step. @throws JourneyError naming the step, with what it threw as its cause */
export type Step = <Value>(name: string, work: () => Promise<StepResult<Value>>) => Promise<Value>;

/** Thrown when a step did not come out as promised. */
export class JourneyError extends Error {
  override readonly name = 'JourneyError';
}

/** Steps that report to `report`. */
export function stepsTo(report: Report): Step {
  return async (name, work) => {
    try {
      const { value, says } = await work();
      report(name, says);
      return value;
    } catch (error) {
      throw new JourneyError(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
}

/** A step that gives nothing on. */
export function says(line: string): StepResult<undefined> {
  return { value: undefined, says: line };
}

/** Throws with a sentence when a promise does not hold. */
export function expectThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new JourneyError(otherwise);
}
