import type { JsonObject, Place } from '../openapi-document/node.js';
import { OperationSkipped } from './skipped.js';

/** The schemas of a tool that are kept apart under `$defs`, because they are recursive or used often. */
export class SchemaDefinitions {
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #pending: Array<Place<JsonObject>> = [];
  /** Definition → definitions that it applies to the very same value. */
  readonly #inPlace = new Map<string, Set<string>>();

  /** The local reference to a schema, which is defined when the tool's schemas are finished. */
  refer(target: Place<JsonObject>): { $ref: string } {
    const known = this.#names.get(target.pointer);
    const name = known ?? this.#unusedName(target.pointer);
    if (known === undefined) {
      this.#names.set(target.pointer, name);
      this.#pending.push(target);
    }
    return { $ref: `#/$defs/${name}` };
  }

  /** Remembers that one definition applies another to the same value; a circle of such could never be decided. */
  noteInPlace(from: string, to: string): void {
    const targets = this.#inPlace.get(from) ?? new Set();
    this.#inPlace.set(from, targets.add(to));
  }

  /** Every definition that was referred to. @throws OperationSkipped where definitions refer to themselves without end */
  finish(convert: (target: Place<JsonObject>) => unknown): Record<string, unknown> {
    const schemas: Record<string, unknown> = {};
    for (let target = this.#pending.pop(); target !== undefined; target = this.#pending.pop()) {
      schemas[this.#names.get(target.pointer) ?? ''] = convert(target);
    }
    this.#refuseEndless();
    return schemas;
  }

  #refuseEndless(): void {
    for (const start of this.#inPlace.keys()) {
      const seen = new Set<string>();
      const open = [...(this.#inPlace.get(start) ?? [])];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (next === start) throw new OperationSkipped(start, 'Its schema refers to itself without end.');
        if (seen.has(next)) continue;
        seen.add(next);
        open.push(...(this.#inPlace.get(next) ?? []));
      }
    }
  }

  #unusedName(pointer: string): string {
    const last = (pointer.split('/').pop() ?? '').replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 64) || 'schema';
    let name = last;
    for (let attempt = 2; this.#taken.has(name); attempt++) name = `${last}_${attempt}`;
    this.#taken.add(name);
    return name;
  }
}
