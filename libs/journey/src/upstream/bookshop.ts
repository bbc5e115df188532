/** The sample shop's data; every start has its own copy. */
export function bookshopData(): Record<string, unknown[]> {
  return {
    authors: [
      { id: 1, name: 'Ursula K. Le Guin', born: 1929 },
      { id: 2, name: 'Italo Calvino', born: 1923 },
      { id: 3, name: 'Octavia E. Butler', born: 1947 },
    ],
    books: [
      { id: 1, title: 'The Dispossessed', authorId: 1, year: 1974, price: 12.5, inStock: true },
      { id: 2, title: 'Invisible Cities', authorId: 2, year: 1972, price: 11, inStock: true },
      { id: 3, title: 'Kindred', authorId: 3, year: 1979, price: 13.2, inStock: false },
      { id: 4, title: 'The Left Hand of Darkness', authorId: 1, year: 1969, price: 10.9, inStock: true },
    ],
    reviews: [
      { id: 1, bookId: 1, stars: 5, text: 'Read it twice.' },
      { id: 2, bookId: 2, stars: 4, text: 'A city for every evening.' },
    ],
  };
}

const integer = { type: 'integer' };
const text = { type: 'string' };

/** What the shop sells and keeps, as JSON Schemas. */
export const RESOURCES = [
  {
    one: 'Author',
    path: '/authors',
    required: ['name'],
    properties: { name: { ...text, minLength: 1 }, born: { ...integer, description: 'Year of birth.' } },
  },
  {
    one: 'Book',
    path: '/books',
    required: ['title', 'authorId'],
    properties: {
      title: { ...text, minLength: 1 },
      authorId: { ...integer, description: 'Id of the author.' },
      year: { ...integer, minimum: 1400, maximum: 2100, description: 'Year of the first edition.' },
      price: { type: 'number', minimum: 0, description: 'In euros.' },
      inStock: { type: 'boolean' },
    },
  },
  {
    one: 'Review',
    path: '/reviews',
    required: ['bookId', 'stars'],
    properties: {
      bookId: { ...integer, description: 'Id of the book.' },
      stars: { ...integer, minimum: 1, maximum: 5 },
      text,
    },
  },
] as const;
