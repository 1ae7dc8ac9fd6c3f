import type { Decoder } from './decoder.ts';
import { bytesValue } from './value.ts';

/** What can always be said of bytes. */
export const hex: Decoder = {
  name: 'hex',
  decode({ bytes }) {
    const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 32)).toString('hex');
    const summary = start.replace(/..(?=.)/g, '$& ') + (bytes.length > 32 ? ' …' : '');
    return { score: 0.05, summary, value: bytesValue(bytes) };
  },
};
