const CANDIDATES_MAX = 3;

/** The names most like a given one, best first; none when nothing is near. */
export function closestNames(given: string, names: Iterable<string>): string[] {
  const text = fold(given).slice(0, 64);
  const near: Array<{ readonly name: string; readonly distance: number }> = [];
  for (const name of names) {
    const other = fold(name).slice(0, 64);
    const limit = Math.max(1, Math.floor(Math.max(text.length, other.length) / 3));
    const contained = text.length >= 3 && (other.includes(text) || (other.length >= 3 && text.includes(other)));
    const distance = Math.abs(text.length - other.length) > limit ? Infinity : editDistance(text, other);
    if (distance <= limit) near.push({ name, distance });
    else if (contained) near.push({ name, distance: limit + 1 });
  }
  near.sort((left, right) => left.distance - right.distance || (left.name < right.name ? -1 : 1));
  return near.slice(0, CANDIDATES_MAX).map((found) => found.name);
}

/** `Did you mean "a" or "b"?`, or nothing. */
export function didYouMean(given: string, names: Iterable<string>): string {
  const found = closestNames(given, names).map((name) => JSON.stringify(name));
  return found.length === 0 ? '' : ` Did you mean ${found.join(' or ')}?`;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Levenshtein distance of two short texts. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
