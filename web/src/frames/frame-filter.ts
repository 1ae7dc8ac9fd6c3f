import type { DirectionChoice, KindChoice } from '../place.ts';

/** A pattern ends at the first slash that is not escaped. */
const escapeSlashes = (pattern: string): string => pattern.replace(/\\.|\//gs, (part) => (part === '/' ? '\\/' : part));

/** A piece of text in payloads as a term of the filter language. `/…/` is a regular expression. */
export function textTerm(find: string): string {
  // A path like /api/users is none: its end is no flags.
  const pattern = /^\/(.+)\/([imsu]*)$/s.exec(find);
  if (pattern !== null) return `text~/${escapeSlashes(pattern[1] ?? '')}/${pattern[2] ?? ''}`;
  return `text:"${find.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

interface FrameChoice {
  readonly filter: string;
  readonly filterNeedsFrames: boolean;
  readonly direction: DirectionChoice;
  readonly kind: KindChoice;
  readonly find: string;
}

/**
 * What the buttons above the frames and the filter at the top mean together; '' where all frames pass. A filter about
 * sessions alone has chosen the session: its frames need not be searched.
 */
export function frameFilter(choice: FrameChoice): string {
  const parts: string[] = [];
  if (choice.filterNeedsFrames && choice.filter.trim() !== '') parts.push(`(${choice.filter.trim()})`);
  if (choice.direction !== 'all') parts.push(choice.direction === 'up' ? 'dir:up' : 'dir:down');
  if (choice.kind === 'data') parts.push('op:data');
  if (choice.kind === 'control') parts.push('op:control');
  if (choice.find !== '') parts.push(textTerm(choice.find));
  return parts.join(' and ');
}

/** The same for messages, which are all of one kind. */
export const messageFilter = (choice: FrameChoice): string => frameFilter({ ...choice, kind: 'all' });
