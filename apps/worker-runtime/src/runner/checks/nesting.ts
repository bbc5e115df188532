/** Whether a JSON value is nested deeper than some levels; walks without recursion, so that no depth can exhaust the stack. */
export function isDeeperThan(value: unknown, depthMax: number): boolean {
  const open: Array<{ readonly value: unknown; readonly depth: number }> = [{ value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth >= depthMax) return true;
    for (const child of Object.values(next.value)) {
      if (typeof child === 'object' && child !== null) open.push({ value: child, depth: next.depth + 1 });
    }
  }
  return false;
}
