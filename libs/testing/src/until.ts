const UNTIL_MS = 60_000;
const EVERY_MS = 25;

/**
 * Looks until there is something: what another process or a timer brings about later is never read just once.
 *
 * @throws Error with the name of what was waited for, after a minute
 */
export async function until<Found>(
  look: () => Found | Promise<Found>,
  what = 'what was waited for',
): Promise<Exclude<Found, undefined | null | false>> {
  const untilMs = performance.now() + UNTIL_MS;
  for (;;) {
    const found = await look();
    if (isThere(found)) return found;
    if (performance.now() > untilMs) throw new Error(`Within a minute this did not come about: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

function isThere<Found>(found: Found): found is Exclude<Found, undefined | null | false> {
  return found !== undefined && found !== null && found !== false;
}
