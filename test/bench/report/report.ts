import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';

/** One figure: what was measured, and what it should be. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  readonly aim: string;
}

/** What the bench found, printed as it comes and written down at the end. */
export class Report {
  readonly #figures: Figure[] = [];
  readonly #tables = new Map<string, ReadonlyArray<Readonly<Record<string, string | number>>>>();

  /** Adds one figure. */
  figure(what: string, measured: string, aim = ''): void {
    this.#figures.push({ what, measured, aim });
    process.stdout.write(`${what.padEnd(46)} ${measured.padEnd(44)} ${aim}\n`);
  }

  /** Adds a table; every row has the same columns. */
  table(title: string, rows: ReadonlyArray<Readonly<Record<string, string | number>>>): void {
    this.#tables.set(title, rows);
    const columns = Object.keys(rows[0] ?? {});
    const cells = [columns, ...rows.map((row) => columns.map((column) => text(row[column])))];
    const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
    const line = (row: readonly string[]): string =>
      row.map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
    process.stdout.write(`\n${title}\n${cells.map(line).join('\n')}\n\n`);
  }

  /** Writes everything to `bench/results.json`. */
  save(): void {
    const folder = path.resolve('bench');
    mkdirSync(folder, { recursive: true });
    const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', node: process.version };
    const found = {
      at: new Date().toISOString(),
      machine,
      figures: this.#figures,
      tables: Object.fromEntries(this.#tables),
    };
    writeFileSync(path.join(folder, 'results.json'), `${JSON.stringify(found, null, 2)}\n`);
    process.stdout.write(`Written to bench/results.json.\n`);
  }
}

/** Milliseconds as text. */
export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

/** Milliseconds as seconds. */
export const seconds = (value: number): string => `${(value / 1_000).toFixed(1)} s`;

function text(value: string | number | undefined): string {
  if (typeof value !== 'number') return value ?? '';
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
