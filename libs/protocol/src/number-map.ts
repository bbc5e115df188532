/** How many places it begins with; as many as are open at once, twice. */
const PLACES_MIN = 64;
/** Equal to nothing, not even to itself, so that no key is mistaken for it. */
const FREE = Number.NaN;

/**
 * A map by number for what comes and goes with every call. A `Map` of which one entry leaves for each that comes makes itself a new
 * table all the time. V8 lets each former table point to the next, so the first that has grown old keeps the later ones alive with
 * all that was open meanwhile, until the whole heap is collected: a third of the time of a busy worker. This one makes a
 * table when it grows and never otherwise. Numbers in a row, as they are given out, lie side by side. In no order.
 */
export class NumberMap<Value> {
  #keys = new Float64Array(PLACES_MIN).fill(FREE);
  #values: Array<Value | undefined> = emptyValues(PLACES_MIN);
  #size = 0;

  /** How many entries there are. */
  get size(): number {
    return this.#size;
  }

  get(key: number): Value | undefined {
    return this.#values[this.#placeOf(key)];
  }

  has(key: number): boolean {
    return this.#keys[this.#placeOf(key)] === key;
  }

  /** Sets the value of a key, a safe integer. */
  set(key: number, value: Value): void {
    const at = this.#placeOf(key);
    const isNew = this.#keys[at] !== key;
    this.#keys[at] = key;
    this.#values[at] = value;
    if (!isNew) return;
    this.#size += 1;
    if (this.#size * 2 > this.#keys.length) this.#grow();
  }

  /** Takes an entry away; whether there was one. */
  delete(key: number): boolean {
    const [keys, values, last] = [this.#keys, this.#values, this.#keys.length - 1];
    let gap = this.#placeOf(key);
    if (keys[gap] !== key) return false;
    // What stands behind it without a gap between may stand there only for it, and moves up (Knuth, volume 3, 6.4, algorithm R).
    for (let at = (gap + 1) & last; isTaken(keys[at]); at = (at + 1) & last) {
      const fromHome = (at - ((keys[at] ?? 0) & last)) & last;
      if (fromHome < ((at - gap) & last)) continue;
      keys[gap] = keys[at] ?? FREE;
      values[gap] = values[at];
      gap = at;
    }
    keys[gap] = FREE;
    values[gap] = undefined;
    this.#size -= 1;
    return true;
  }

  /** The entries whose values are wanted, as they are now: what is set or deleted meanwhile changes nothing of them. */
  filter(isWanted: (value: Value) => boolean): Array<[number, Value]> {
    const found: Array<[number, Value]> = [];
    for (let at = 0; at < this.#keys.length; at += 1) {
      const key = this.#keys[at];
      if (key === undefined || !isTaken(key)) continue;
      const value = this.#values[at] as Value; // set with its key
      if (isWanted(value)) found.push([key, value]);
    }
    return found;
  }

  /** All entries as they are now. */
  entries(): Array<[number, Value]> {
    return this.filter(() => true);
  }

  /** The keys as they are now. */
  keys(): number[] {
    return this.entries().map(([key]) => key);
  }

  /** The values as they are now. */
  values(): Value[] {
    return this.entries().map(([, value]) => value);
  }

  clear(): void {
    this.#keys.fill(FREE);
    this.#values.fill(undefined);
    this.#size = 0;
  }

  /** Where a key stands, or the free place where it would. */
  #placeOf(key: number): number {
    const last = this.#keys.length - 1;
    let at = key & last;
    for (let found = this.#keys[at]; found !== key && isTaken(found); found = this.#keys[at]) at = (at + 1) & last;
    return at;
  }

  #grow(): void {
    const entries = this.entries();
    this.#keys = new Float64Array(this.#keys.length * 2).fill(FREE);
    this.#values = emptyValues(this.#keys.length);
    for (const [key, value] of entries) {
      const at = this.#placeOf(key);
      this.#keys[at] = key;
      this.#values[at] = value;
    }
  }
}

function isTaken(key: number | undefined): boolean {
  return key === key;
}

function emptyValues(places: number): undefined[] {
  return Array.from({ length: places }, () => undefined);
}
