import type { Letter } from './letters.js';

/** What owners are told of their tenant. */
export type TenantNews =
  | { readonly kind: 'suspended' }
  | { readonly kind: 'resumed' }
  | {
      readonly kind: 'deletion_requested';
      readonly by: 'owner' | 'operator';
      readonly dueAt: Date;
      readonly often?: true | undefined;
    }
  | { readonly kind: 'restored' };

/** What a mail to owners says; the slug has only letters, digits and hyphens. */
export interface TenantNotice {
  readonly tenantSlug: string;
  readonly news: TenantNews;
  readonly at: Date;
  /** Where the operators want it said. */
  readonly reason: string | undefined;
  /** Whom to ask. */
  readonly contact: string | undefined;
}

const SUBJECTS: Readonly<Record<TenantNews['kind'], (slug: string) => string>> = {
  suspended: (slug) => `${slug} is suspended at Wharf`,
  resumed: (slug) => `${slug} works again at Wharf`,
  deletion_requested: (slug) => `${slug} is to be deleted at Wharf`,
  restored: (slug) => `${slug} is not deleted at Wharf`,
};

const OFTEN =
  'This was asked for often today, so that no mail may tell you when it is taken back: GET /v1/tenant/deletion says how it stands.';

/** Writes the mail that tells an owner what became of their tenant; in English, for nothing is known of their language. */
export function tenantLetter({ tenantSlug: slug, news, at, reason, contact }: TenantNotice): Letter {
  const paragraphs = [
    sentencesOf(news, slug, written(at)),
    ...(reason === undefined ? [] : [`They say why: ${reason}`]),
    ...(contact === undefined ? [] : [`Questions: ${contact}`]),
    `You get this mail because you are an owner of ${slug}. Its audit log says more. If you do not know ${slug}, ignore this mail.`,
  ];
  return { subject: SUBJECTS[news.kind](slug), text: `${paragraphs.join('\n\n')}\n` };
}

function sentencesOf(news: TenantNews, slug: string, at: string): string {
  switch (news.kind) {
    case 'suspended':
      return `The operators of the platform have suspended ${slug} (${at}). Its URLs and its API refuse until they resume it; nothing of it is deleted.`;
    case 'resumed':
      return `The operators of the platform have resumed ${slug} (${at}). Its URLs and its API answer again.`;
    case 'deletion_requested': {
      const who = news.by === 'operator' ? 'The operators of the platform have' : 'An owner has';
      const back =
        news.by === 'operator'
          ? 'Only they can take it back.'
          : 'Until then an owner can take it back with POST /v1/tenant/restore.';
      return `${who} asked for ${slug} to be deleted (${at}). It is closed from now on, and everything it owns is deleted on ${written(news.dueAt)}. ${back}${news.often === true ? ` ${OFTEN}` : ''}`;
    }
    case 'restored':
      return `The deletion of ${slug} was taken back (${at}). It is again what it was before.`;
  }
}

/** A time as everybody reads it alike, wherever they are. */
function written(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
