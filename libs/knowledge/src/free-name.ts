import { newId, type Transaction } from '#libs/database';
import type { DocumentShelf, DocumentWords } from './document-row.js';
import { findDocument } from './documents.js';

const LENGTH_MAX = 60;
const RANDOM_CHARACTERS = 8;

/** A name for a document that was given none: what its title says, and something random where that is taken. */
export async function freeName(
  tx: Transaction,
  shelf: DocumentShelf,
  { collection, title }: Pick<DocumentWords, 'collection' | 'title'>,
): Promise<string> {
  const said = title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, LENGTH_MAX)
    .replaceAll(/^-+|-+$/g, '');
  const name = said === '' ? 'note' : said;
  const taken = await findDocument(tx, shelf, { collection, name });
  return taken === undefined ? name : `${name}-${newId().slice(-RANDOM_CHARACTERS)}`;
}
