import { messagePage } from './pages.js';
import type { Page } from '#libs/pages';

const EXPLANATIONS: Readonly<Record<string, { readonly heading: string; readonly sentence: string }>> = {
  invalid_client: {
    heading: 'This app is not known here',
    sentence: 'Its registration may have expired. Remove the connection in the app and add it again.',
  },
  invalid_redirect_uri: {
    heading: 'This app cannot be trusted to receive your answer',
    sentence:
      'The address it wants you sent back to is not one it registered. Do not go on; tell whoever makes the app.',
  },
  invalid_request: {
    heading: 'This connection cannot go on',
    sentence: 'It may have been finished already or taken too long. Go back to your app and connect again from there.',
  },
};

/** The page about an OAuth error that cannot be sent back to the client. */
export function errorPage(status: number, error: string, description: string | undefined): Page {
  const { heading, sentence } = EXPLANATIONS[error] ?? {
    heading: 'Something went wrong',
    sentence: 'Go back to your app and connect again from there.',
  };
  return messagePage(status, heading, [
    sentence,
    `For whoever makes the app: ${error}${description === undefined ? '' : ` (${description})`}.`,
  ]);
}
