import type { Decoder } from './decoder.ts';
import { SHOWN_CHARACTERS, summaryOf, wellFormed } from './value.ts';

export const text: Decoder = {
  name: 'text',
  decode({ text: whole, isText }) {
    if (whole === null) return null;
    const printable = isText || !/[\x00-\x08\x0e-\x1f]/.test(whole);
    return {
      score: isText ? 0.3 : printable ? 0.5 : 0.04,
      summary: summaryOf(whole),
      value: wellFormed(whole.slice(0, SHOWN_CHARACTERS)),
    };
  },
};
