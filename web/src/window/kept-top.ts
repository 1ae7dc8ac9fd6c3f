import { setUi, useUi } from '../state.ts';
import type { VirtualRowsHandle } from './virtual-rows.tsx';

/** The fields of the state that belong to a list. */
const FIELDS = {
  frames: { top: 'framesTop', selected: 'frame', follow: 'follow' },
  messages: { top: 'messagesTop', selected: 'message', follow: 'followMessages' },
} as const;

/** Which frame or message stands where. */
export interface ShownRows {
  /** What they are a choice of: where it changes, the list is brought back to where it stood. */
  readonly of: unknown;
  /** The index that a position shows, or undefined where that is a line about what is gone. */
  readonly indexAt: (position: number) => number | undefined;
  /** The position of an index, or of the first one after it; null while that is not known. */
  readonly nearest: (index: number) => number | null;
}

/**
 * Keeps in the state which frame or message is the first on the screen, and brings the list back to it: after a change
 * of tab, a reload and the browser's Back, and when other rows are listed. A list that follows stands at its end.
 * A top is an index, and the part of its row that is hidden: 12.5.
 */
export class KeptTop {
  readonly #fields;
  /** Where the list is yet to be brought back to. */
  #pending: number | null;
  /** What the state was told last. */
  #said: number | null = null;
  #drawn: { readonly rows: ShownRows; readonly list: VirtualRowsHandle } | null = null;
  #of: { readonly value: unknown } | null = null;

  constructor(list: keyof typeof FIELDS) {
    this.#fields = FIELDS[list];
    const ui = useUi.getState();
    this.#pending = ui[this.#fields.follow] ? null : ui[this.#fields.top];
  }

  /** Nothing else is to move the list. */
  get pending(): boolean {
    return this.#pending !== null;
  }

  /** Position `position` is the first on the screen. */
  stands(position: number, rows: ShownRows): void {
    const { top: field, follow } = this.#fields;
    const ui = useUi.getState();
    if (ui[follow]) return;
    if (this.#of !== null && this.#of.value !== rows.of) this.#pending ??= ui[field];
    this.#of = { value: rows.of };
    if (this.#pending !== null) return;
    const index = rows.indexAt(Math.floor(position));
    const top = index === undefined ? 0 : index + (position % 1);
    if (top === ui[field]) return;
    this.#said = top;
    setUi({ [field]: top });
  }

  /** These rows have been drawn by `list`. */
  drawn(rows: ShownRows, list: VirtualRowsHandle | null): void {
    if (list === null) return;
    this.#drawn = { rows, list };
    if (this.#pending === null) return;
    const position = rows.nearest(Math.floor(this.#pending));
    if (position === null) return;
    const hidden = this.#pending % 1;
    this.#pending = null;
    list.standAt(position + hidden);
  }

  /** The user has scrolled. */
  moved(): void {
    this.#pending = null;
  }

  /** Heeds what others say in the state. Returns how to stop. */
  watch(): () => void {
    const { top, follow, selected } = this.#fields;
    return useUi.subscribe((ui, before) => {
      if (ui[follow]) this.#pending = null;
      else if (ui[top] !== before[top] && ui[top] !== this.#said) {
        this.#pending = ui[top];
        if (this.#drawn !== null) this.drawn(this.#drawn.rows, this.#drawn.list);
      } else if (ui[selected] !== before[selected]) this.#pending = null;
    });
  }
}
