import type { Row } from './rows.js';

const COLUMNS: ReadonlyArray<readonly [string, (row: Row) => string]> = [
  ['fault', ({ outcome }) => outcome.name],
  ['calls', ({ calls }) => `${calls}`],
  ['failed', ({ failed }) => `${failed}`],
  ['again', ({ again }) => `${again}`],
  ['failed again', ({ failedAgain }) => `${failedAgain}`],
  ['sessions ended', ({ sessionsEnded }) => `${sessionsEnded}`],
  ['API', ({ asides }) => `${asides.asked}`],
  ['API failed', ({ asides }) => `${asides.failures.length}`],
  ['duplicated', ({ duplicated }) => `${duplicated.length}`],
  ['lost records', ({ lost }) => `${lost.length}`],
  ['wrong records', ({ wrong }) => `${wrong.length}`],
  ['canaries', ({ canaries }) => `${canaries.length}`],
  ['recovery s', recoveryOf],
];

/** The table as Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const headings = COLUMNS.map(([heading]) => heading);
  const cells = rows.map((row) => COLUMNS.map(([, cell]) => cell(row)));
  const widths = headings.map((heading, at) => Math.max(heading.length, ...cells.map((line) => line[at]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(headings), rule, ...cells.map(line)].join('\n');
}

function recoveryOf({ outcome: { cost, recovered, skipped } }: Row): string {
  if (skipped !== undefined) return 'skipped';
  if (cost === undefined || recovered.length === 0) return '';
  const worst = recovered.reduce((most, { seconds }) => Math.max(most, seconds ?? Infinity), 0);
  return worst === Infinity ? 'never' : worst.toFixed(1);
}
