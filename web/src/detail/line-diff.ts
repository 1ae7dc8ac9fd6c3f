export type LineChange = 'same' | 'removed' | 'added';
export interface DiffLine {
  readonly change: LineChange;
  readonly text: string;
  /** Line numbers from 1 in the one and the other text, or null where it is not in it. */
  readonly left: number | null;
  readonly right: number | null;
}

/** Above that many cells the middle is shown as wholly replaced: comparing must not freeze the page. */
const MAX_CELLS = 4_000_000;

/** What changed from one text to another, line by line: longest common subsequence between equal ends. */
export function diffLines(left: string, right: string): readonly DiffLine[] {
  const a = left.split('\n');
  const b = right.split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail])
    tail += 1;
  const lines: DiffLine[] = [];
  const same = (i: number, j: number): void => {
    lines.push({ change: 'same', text: a[i] ?? '', left: i + 1, right: j + 1 });
  };
  for (let i = 0; i < head; i += 1) same(i, i);
  middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail), head, lines);
  for (let i = tail; i > 0; i -= 1) same(a.length - i, b.length - i);
  return lines;
}

function middle(a: readonly string[], b: readonly string[], offset: number, lines: DiffLine[]): void {
  const removed = (i: number): void => {
    lines.push({ change: 'removed', text: a[i] ?? '', left: offset + i + 1, right: null });
  };
  const added = (j: number): void => {
    lines.push({ change: 'added', text: b[j] ?? '', left: null, right: offset + j + 1 });
  };
  const width = b.length + 1;
  let i = 0;
  let j = 0;
  if (a.length * b.length <= MAX_CELLS) {
    const lengths = new Uint32Array((a.length + 1) * width);
    for (let row = a.length - 1; row >= 0; row -= 1) {
      for (let column = b.length - 1; column >= 0; column -= 1) {
        lengths[row * width + column] =
          a[row] === b[column]
            ? (lengths[(row + 1) * width + column + 1] ?? 0) + 1
            : Math.max(lengths[(row + 1) * width + column] ?? 0, lengths[row * width + column + 1] ?? 0);
      }
    }
    while (i < a.length && j < b.length) {
      if (a[i] === b[j]) {
        lines.push({ change: 'same', text: a[i] ?? '', left: offset + i + 1, right: offset + j + 1 });
        i += 1;
        j += 1;
      } else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) {
        removed(i);
        i += 1;
      } else {
        added(j);
        j += 1;
      }
    }
  }
  for (; i < a.length; i += 1) removed(i);
  for (; j < b.length; j += 1) added(j);
}
