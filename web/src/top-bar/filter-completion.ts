import type { FilterCompletions } from '../../../src/contract/decoded.ts';

/** One way to go on: the whole text with it put in, and where the caret goes. */
export interface Completion {
  readonly label: string;
  readonly means: string;
  readonly text: string;
  readonly caret: number;
}

/** What the server offers, put into the text; what stands there already is no offer. */
export function completionsIn(text: string, { from, to, options }: FilterCompletions): readonly Completion[] {
  const written = text.slice(from, to);
  return options
    .filter((option) => option.text !== written)
    .map((option) => {
      const regex = option.text.endsWith('~');
      const put = regex ? `${option.text}//` : /^(?:and|or|not)$/.test(option.text) ? `${option.text} ` : option.text;
      return {
        label: option.text,
        means: option.means,
        text: text.slice(0, from) + put + text.slice(to),
        caret: from + put.length - (regex ? 1 : 0),
      };
    });
}
