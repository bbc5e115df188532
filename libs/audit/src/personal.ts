/** What of a record is about a person, apart from their opaque id. */
export interface PersonalPart {
  readonly source_address?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

interface Parts {
  readonly actor: Readonly<Record<string, unknown>>;
  readonly details: Readonly<Record<string, unknown>>;
  readonly source_address: string | null;
}

/** Details that tell who somebody is, or what they asked for: a digest too, from which short arguments can be guessed. */
export const PERSONAL_DETAILS = ['email', 'name_of_person', 'arguments', 'arguments_digest'] as const;

/** The method of calls whose `name` is personal too: the URI of what somebody read, which often says whom it is about. */
export const PERSONALLY_NAMED_METHOD = 'resources/read';

/** The account that a record is about: its actor, or the one that its details name. */
export function personOf({ actor, details }: Pick<Parts, 'actor' | 'details'>): string | undefined {
  const id = actor['kind'] === 'person' ? actor['id'] : details['account'];
  return typeof id === 'string' ? id : undefined;
}

/** Takes a record apart into what may be read for ever and what ends with its person; undefined where nothing is personal. */
export function splitPersonal<Record_ extends Parts>(
  record: Record_,
): { readonly personId: string; readonly personal: PersonalPart; readonly open: Record_ } | undefined {
  const personId = personOf(record);
  if (personId === undefined) return undefined;
  const keys = new Set<string>(PERSONAL_DETAILS);
  if (record.details['method'] === PERSONALLY_NAMED_METHOD) keys.add('name');
  const told = Object.entries(record.details).filter(([key]) => keys.has(key));
  if (record.source_address === null && told.length === 0) return undefined;
  const details = Object.fromEntries(Object.entries(record.details).filter(([key]) => !keys.has(key)));
  return {
    personId,
    personal: {
      ...(record.source_address === null ? {} : { source_address: record.source_address }),
      ...(told.length === 0 ? {} : { details: Object.fromEntries(told) }),
    },
    open: { ...record, details, source_address: null },
  };
}
