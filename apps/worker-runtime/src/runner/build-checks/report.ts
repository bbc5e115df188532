import { estimateTokens, type BuildReport, type ListedDefinition, type ToolDefinition } from '#libs/protocol';

/** Bytes of each list of a report: it travels in a frame's header, which is bounded. */
const LIST_BYTES_MAX = 110 * 1024;
const TEXT_CHARACTERS_MAX = 256;

type Skipped = BuildReport['skipped'][number];
type Renamed = BuildReport['renamed'][number];

/** What a build leaves out or changes, noted as it happens. */
export class ReportNotes {
  readonly #skipped: Skipped[] = [];
  readonly #renamed: Renamed[] = [];
  readonly #known = new Set<string>();

  /** What was left out so far. */
  get skipped(): readonly Skipped[] {
    return this.#skipped;
  }

  /** Notes something of the document that no tool covers, once. */
  skip(pointer: string, operation: string, reason: string): void {
    const skipped = { pointer: short(pointer), operation: short(operation), reason: short(reason) };
    const text = JSON.stringify(skipped);
    if (this.#known.has(text)) return;
    this.#known.add(text);
    this.#skipped.push(skipped);
  }

  /** Notes a name that had to change. */
  rename(from: string, to: string, reason: string): void {
    this.#renamed.push({ from: short(from), to, reason: short(reason) });
  }

  /** The report about these tools. */
  finish(tools: ReadonlyArray<ListedDefinition & Partial<Pick<ToolDefinition, 'http'>>>): BuildReport {
    const list = JSON.stringify({ tools: tools.map(({ http: _, ...shown }) => shown) });
    return {
      tools: tools.length,
      skipped: bounded(this.#skipped, (left) => ({ pointer: '', operation: '', reason: `and ${left} more` })),
      renamed: bounded(this.#renamed, (left) => ({ from: '', to: '', reason: `and ${left} more` })),
      listBytes: Buffer.byteLength(list),
      listTokens: estimateTokens(list),
    };
  }
}

/** As much of a list as may travel; the last entry counts the rest, so that nothing is left out silently. */
function bounded<Entry>(entries: readonly Entry[], rest: (left: number) => Entry): Entry[] {
  const kept: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (bytes > LIST_BYTES_MAX) return [...kept, rest(entries.length - kept.length)];
    kept.push(entry);
  }
  return kept;
}

function short(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX - 1)}…`;
}
