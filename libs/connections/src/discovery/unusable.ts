import { OpenIdFailure } from '#libs/openid';

/** An upstream at which nobody can log in, with a sentence for whoever set it up. */
export function unusable(message: string): OpenIdFailure {
  return new OpenIdFailure('unusable', message);
}

/** Reads something of the upstream; whatever is wrong with it is told in one sentence. @throws OpenIdFailure */
export async function read<Found>(what: string, reading: () => Promise<Found>): Promise<Found> {
  try {
    return await reading();
  } catch (error) {
    if (error instanceof OpenIdFailure) throw error;
    const detail = error instanceof Error ? error.message.slice(0, 200) : '';
    throw new OpenIdFailure('unusable', `${what} cannot be used: ${detail}`, { cause: error });
  }
}
