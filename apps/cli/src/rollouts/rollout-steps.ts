import { CliProblem } from '../problem.js';

const STEP = /^(\d+)%?:(\d+)([smh]?)$/;
const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };

/** The steps that `10:5m,50:600,100:1h` names: percent and how long at least. @throws CliProblem where it names none */
export function parseSteps(text: string): ReadonlyArray<{ readonly percent: number; readonly seconds: number }> {
  return text.split(',').map((part) => {
    const [, percent, count, unit] = STEP.exec(part.trim()) ?? [];
    const each = SECONDS[unit ?? ''];
    if (percent !== undefined && each !== undefined) return { percent: Number(percent), seconds: Number(count) * each };
    throw new CliProblem(`"${part}" is no step.`, 'Write percent and time, such as 10:5m,50:10m,100:10m.');
  });
}
