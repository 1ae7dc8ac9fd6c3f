import { FilterError } from './filter-error.ts';

/** Steps from a JSON value to a part of it: names of members and numbers of elements. */
export type JsonPath = readonly (string | number)[];

const STEP = /\.([\p{L}\p{N}_$-]+)|\[(\d{1,9})\]|\.("(?:[^"\\]|\\.)*")|\[("(?:[^"\\]|\\.)*")\]/uy;

/**
 * Reads `.name`, `."any name"`, `[0]` and `["any name"]`, one after another, from `position` on.
 * @throws {FilterError} if there is no step at all
 */
export function readJsonPath(text: string, position: number): { readonly path: JsonPath; readonly end: number } {
  const path: (string | number)[] = [];
  let end = position;
  for (;;) {
    STEP.lastIndex = end;
    const step = STEP.exec(text);
    if (step === null) break;
    path.push(step[1] ?? (step[2] === undefined ? unquote(step[3] ?? step[4] ?? '""', end) : Number(step[2])));
    end = STEP.lastIndex;
  }
  if (path.length === 0) throw new FilterError(position, 'expected a path, as in json.user.name or json.items[0]');
  return { path, end };
}

function unquote(quoted: string, position: number): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw new FilterError(position, `${quoted} is no JSON string; expected a name in double quotes`);
  }
}

/** The part of `value` that `path` leads to, or undefined. Only own members count; `.0` is an element as well. */
export function partAt(value: unknown, path: JsonPath): unknown {
  let part = value;
  for (const step of path) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, step)) return undefined;
    part = (part as Record<string | number, unknown>)[step];
  }
  return part;
}
