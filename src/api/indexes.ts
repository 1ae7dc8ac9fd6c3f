import { Type } from 'typebox';
import { FrametapError } from '../errors.ts';

const MAX_INDEXES = 500;

/** Indexes in one page of them: some 400 KiB of JSON, a few milliseconds' work on either side. */
export const IndexLimit = Type.Integer({ minimum: 1, maximum: 50_000, default: 50_000 });

/** The rows that have these indexes, however far apart. */
export const Indexes = Type.String({
  pattern: `^\\d{1,15}(,\\d{1,15}){0,${MAX_INDEXES - 1}}$`,
  description: `at most ${MAX_INDEXES} indexes with commas between`,
});

/**
 * The indexes that a query asks for, ascending, each once; null where it asks for none.
 * @throws {FrametapError} where it asks for a stretch or a filter as well
 */
export function indexesOf(query: {
  readonly indexes?: string;
  readonly limit: number;
  readonly [beside: string]: unknown;
}): readonly number[] | null {
  const { indexes } = query;
  if (indexes === undefined) return null;
  const beside = Object.keys(query).filter((name) => name !== 'indexes' && name !== 'limit');
  if (beside.length > 0) {
    throw new FrametapError('invalid-parameter', `indexes says which rows: leave out ${beside.join(' and ')}.`);
  }
  return [...new Set(indexes.split(',').map(Number))].sort((a, b) => a - b);
}
