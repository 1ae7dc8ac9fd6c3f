/** A string or a number, in a text that is JSON. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g;

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // Not JSON: the one thing that parse throws for.
  }
}

/** Writes the numbers of a JSON text, which a double may not hold, in another way. Only for what parses as JSON. */
export function rewriteNumbers(text: string, rewrite: (digits: string) => string): string {
  return text.replace(TOKEN, (token) => (token.startsWith('"') ? token : rewrite(token)));
}
