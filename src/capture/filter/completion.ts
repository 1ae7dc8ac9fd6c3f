import type { FilterCompletions } from '../../contract/decoded.ts';
import { FIELDS } from './fields.ts';

const KEYWORDS: FilterCompletions['options'] = [
  { text: 'and', means: 'both sides' },
  { text: 'or', means: 'one side or both' },
  { text: 'not', means: 'what does not match' },
];

/** What may stand where the cursor is: names of fields, values of the field before it, keywords. Never throws. */
export function completions(text: string, cursor: number): FilterCompletions {
  const at = Math.max(0, Math.min(cursor, text.length));
  const word = /[^\s()]*$/.exec(text.slice(0, at))?.[0] ?? '';
  const to = at + (/^[^\s()]*/.exec(text.slice(at))?.[0].length ?? 0);
  const inValue = /^([a-z]+)(:|[<>]=?|!?=)(.*)$/i.exec(word);
  if (inValue === null) {
    return { from: at - word.length, to, options: named(word.toLowerCase()) };
  }
  const [, name = '', , begun = ''] = inValue;
  const field = Object.hasOwn(FIELDS, name.toLowerCase()) ? FIELDS[name.toLowerCase()] : undefined;
  const values = field?.values.filter((value) => value.startsWith(begun.toLowerCase())) ?? [];
  return {
    from: at - begun.length,
    to,
    options: values.map((value) => ({ text: value, means: field?.means ?? '' })),
  };
}

function named(begun: string): FilterCompletions['options'] {
  const fields = Object.entries(FIELDS).map(([name, field]) => ({
    text: name + (field.operators[0] ?? ':'),
    means: field.means,
  }));
  return [...fields, ...(begun === '' ? [] : KEYWORDS)].filter(({ text }) => text.startsWith(begun));
}
