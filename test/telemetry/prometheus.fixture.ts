import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setInterval } from 'node:timers/promises';
import { freePort } from '#libs/embedded';
import { endOf } from '#libs/testing';

const DATA_MS = 60_000;

/** A value that a query gave. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A Prometheus of its own, which scrapes every second and works out our rules as often. */
export class Prometheus {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'wharf-prometheus-'));
  #child: ChildProcess | undefined;
  #output = '';
  #url = '';

  static async start(program: string, targets: readonly string[], rulesFile: string): Promise<Prometheus> {
    const prometheus = new Prometheus();
    await prometheus.#start(program, targets, rulesFile);
    return prometheus;
  }

  async #start(program: string, targets: readonly string[], rulesFile: string): Promise<void> {
    const rules = readFileSync(rulesFile, 'utf8').replaceAll(/interval: \w+/g, 'interval: 1s');
    writeFileSync(path.join(this.#folder, 'rules.yaml'), rules);
    writeFileSync(
      path.join(this.#folder, 'prometheus.yaml'),
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: ['rules.yaml'],
        scrape_configs: [{ job_name: 'wharf', static_configs: [{ targets }] }],
      }),
    );
    const port = await freePort();
    this.#url = `http://127.0.0.1:${port}`;
    const child = spawn(
      program,
      [
        `--config.file=${path.join(this.#folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${path.join(this.#folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.#output += chunk));
    this.#child = child;
  }

  /** What a query gives now; nothing while Prometheus does not answer yet. */
  async query(expression: string): Promise<readonly Sample[]> {
    const answer = await fetch(`${this.#url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expression }),
    }).catch(() => undefined);
    if (answer === undefined || answer.status === 503) return [];
    const body = (await answer.json()) as { status: string; error?: string; data: { result: Sample[] } }; // its documented answer
    if (body.status !== 'success') throw new Error(`${expression}: ${body.error}`);
    return body.data.result;
  }

  /** Asks again and again until every query has numbers to give; returns those that still had none at the deadline. */
  async withoutData(expressions: readonly string[]): Promise<string[]> {
    let left = [...expressions];
    const until = Date.now() + DATA_MS;
    for await (const _ of setInterval(500)) {
      if (this.#child?.exitCode !== null) throw new Error(`Prometheus ended:\n${this.#output}`);
      const asked = await Promise.all(left.map(async (query) => [query, await this.query(query)] as const));
      left = asked.filter(([, samples]) => !samples.some(isNumber)).map(([query]) => query);
      if (left.length === 0 || Date.now() > until) return left;
    }
    return left;
  }

  async stop(): Promise<void> {
    await endOf(this.#child);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function isNumber({ value: [, text] }: Sample): boolean {
  return Number.isFinite(Number(text));
}
