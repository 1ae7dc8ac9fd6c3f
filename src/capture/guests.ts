/** Remembers something of the capture outside of its store: what that costs counts as part of the capture. */
export interface Guest {
  readonly costBytes: number;
  /** Room is needed: lets go of what nobody has asked for lately. */
  makeRoom(): void;
  /** A session is gone. */
  forget(id: string): void;
  /** A new epoch begins. */
  forgetAll(): void;
}

/** What a guest tells the store. */
export interface Lodging {
  /** The guest has grown: room may have to be made. */
  grown(): void;
  leave(): void;
}

/** All guests of a store. */
export class Guests {
  readonly #onGrown: () => void;
  #guests: readonly Guest[] = [];

  constructor(onGrown: () => void) {
    this.#onGrown = onGrown;
  }

  get costBytes(): number {
    let bytes = 0;
    for (const guest of this.#guests) bytes += guest.costBytes;
    return bytes;
  }

  admit(guest: Guest): Lodging {
    this.#guests = [...this.#guests, guest];
    return {
      grown: this.#onGrown,
      leave: () => (this.#guests = this.#guests.filter((other) => other !== guest)),
    };
  }

  makeRoom(): void {
    for (const guest of this.#guests) guest.makeRoom();
  }
  forget(id: string): void {
    for (const guest of this.#guests) guest.forget(id);
  }
  forgetAll(): void {
    for (const guest of this.#guests) guest.forgetAll();
  }
}
