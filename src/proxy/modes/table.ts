import type { Origin } from '../leg.ts';
import { absoluteFormMode } from './absolute-form.ts';
import { connectMode } from './connect.ts';
import type { Mode } from './mode.ts';
import { createReverseMode } from './reverse.ts';

/** The modes of a proxy, in order: the first that knows the way is taken. */
export function modesOf(options: { readonly reverse: Origin | null; readonly keepHost: boolean }): readonly Mode[] {
  if (options.reverse !== null) return [createReverseMode(options.reverse, { keepHost: options.keepHost })];
  return [connectMode, absoluteFormMode];
}
