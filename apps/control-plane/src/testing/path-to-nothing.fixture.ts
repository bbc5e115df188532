import { newId } from '#libs/database';

/** The same path with every id and name replaced by one that exists nowhere. */
export function pathToNothing(pattern: string, path: string): string {
  const [pathname = '', query] = path.split('?');
  const parts = pathname.split('/');
  const replaced = pattern.split('/').map((part, index) => {
    if (!part.startsWith('{')) return parts[index];
    if (part === '{first_leaf}') return '123456789';
    if (part === '{major}') return '77';
    const byId = ['{id}', '{release}', '{webhook}', '{delivery}', '{probe}', '{rollout}'].includes(part);
    return byId ? newId() : 'never-existed';
  });
  return `${replaced.join('/')}${query === undefined ? '' : `?${query}`}`;
}
