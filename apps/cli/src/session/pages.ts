import type { z } from 'zod';
import { queryOf } from '#libs/journey';
import type { Session } from './session.js';

const PAGE = 100;
/** Ten thousand things: more is no list to read, and `next_cursor` says where it goes on. */
const PAGES_MAX = 100;

/** A page of a list, as the management API answers it. */
interface Page {
  readonly next_cursor: string | null;
}

/**
 * The pages of a list, one after the other, until the last or so many that nobody reads on.
 *
 * @throws ApiProblem where one is refused
 */
export async function* pagesOf<Shape extends z.ZodType<Page>>(
  session: Session,
  path: string,
  shape: Shape,
  from?: string,
): AsyncGenerator<z.output<Shape>> {
  let cursor = from;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    // A door for each: a long list may take longer than a token lives.
    const door = await session.door();
    const answer = await door.ask({ method: 'GET', path: `${path}${queryOf({ limit: PAGE, cursor })}` }, shape);
    yield answer;
    if (answer.next_cursor === null) return;
    cursor = answer.next_cursor;
  }
}
