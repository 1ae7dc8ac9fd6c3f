import { setUi, useUi } from '../state.ts';
import type { ListOrder } from './list-order.ts';
import type { VirtualRowsHandle } from './virtual-rows.tsx';

/** The fields of the state that belong to a list. */
const FIELDS = {
  frames: { top: 'framesTop', selected: 'frame', follow: 'follow' },
  messages: { top: 'messagesTop', selected: 'message', follow: 'followMessages' },
} as const;

/** Which frame or message stands where. */
export interface ShownRows extends Pick<ListOrder, 'indexAt' | 'positionOf' | 'nearest'> {
  /** What they are a choice of: where it changes, the list is brought back to where it stood. */
  readonly of: unknown;
}

/** A row, and how far below the top it stands, in rows; null: where there is most around it. */
interface Anchor {
  readonly index: number;
  readonly below: number | null;
}

/**
 * Keeps in the state which frame or message is the first on the screen, and brings the list back to it: after a change
 * of tab, a reload and the browser's Back. When other rows are listed, what is selected stays where it stood if it was
 * in sight, also over a choice that does not have it; else the first row stays. A list that follows stands at its end.
 * A top is an index, and the part of its row that is hidden: 12.5.
 */
export class KeptTop {
  readonly #fields;
  /** Where the list is yet to be brought back to. */
  #pending: Anchor | null;
  /** The selected row, as long as it is in sight, or is not listed and was in sight before. */
  #anchor: Anchor | null;
  /** The selected row, while it is not listed. */
  #missed: number | null = null;
  /** What the state was told last. */
  #said: number | null = null;
  #drawn: { readonly rows: ShownRows; readonly list: VirtualRowsHandle } | null = null;
  #of: { readonly value: unknown } | null = null;

  constructor(list: keyof typeof FIELDS) {
    this.#fields = FIELDS[list];
    const ui = useUi.getState();
    const top = ui[this.#fields.top];
    this.#anchor = selectedAnchor(ui[this.#fields.selected]);
    this.#pending = ui[this.#fields.follow] || top === null ? null : topAnchor(top);
  }

  /** Position `position` is the first on the screen. */
  stands(position: number, rows: ShownRows): void {
    const { top: field, follow, selected } = this.#fields;
    const ui = useUi.getState();
    if (ui[follow]) {
      this.#of = { value: rows.of };
      this.#anchor = null;
      return;
    }
    if (this.#of !== null && this.#of.value !== rows.of) {
      const top = ui[field];
      this.#pending ??= this.#anchor ?? (top === null ? null : topAnchor(top));
    }
    this.#of = { value: rows.of };
    if (this.#pending === null) this.#heed(ui[selected], position, rows);
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
    const { index, below } = this.#pending;
    const position = rows.nearest(index);
    if (position === null) return;
    this.#pending = null;
    if (below === null) list.reveal(position, { center: true });
    else list.standAt(position - below);
  }

  /** The user has scrolled. */
  moved(): void {
    this.#pending = null;
    this.#anchor = null;
  }

  /** Heeds what others say in the state. Returns how to stop. */
  watch(): () => void {
    const { top, follow, selected } = this.#fields;
    return useUi.subscribe((ui, before) => {
      const index = ui[selected];
      if (index !== before[selected]) this.#anchor = selectedAnchor(index);
      if (ui[follow]) this.#pending = null;
      else if (ui[top] !== before[top] && ui[top] !== this.#said) {
        const wanted = ui[top];
        this.#pending = wanted === null ? null : topAnchor(wanted);
        if (this.#drawn !== null) this.drawn(this.#drawn.rows, this.#drawn.list);
      } else if (index !== before[selected]) this.#pending = null;
    });
  }

  /** Notes where the selected row stands. One that has come into the list again is gone back to. */
  #heed(selected: number | null, position: number, rows: ShownRows): void {
    const at = selected === null ? null : rows.positionOf(selected);
    const missed = this.#missed;
    this.#missed = at === null ? selected : null;
    if (selected === null || at === null) return;
    const { first, last } = this.#drawn?.list.visible() ?? { first: 0, last: 0 };
    if (at >= first && at < last) this.#anchor = { index: selected, below: at - position };
    else if (missed === selected) this.#pending = this.#anchor;
    else this.#anchor = null;
  }
}

const selectedAnchor = (index: number | null): Anchor | null => (index === null ? null : { index, below: null });

const topAnchor = (top: number): Anchor => ({ index: Math.floor(top), below: -(top % 1) });
