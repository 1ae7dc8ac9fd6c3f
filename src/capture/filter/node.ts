import { REGEX_CHARACTERS, Truth, truth, type Candidate, type PayloadRegex, type PayloadText } from './candidate.ts';
import type { GuardedRegex } from './guarded-regex.ts';

/** One node of a filter: `evaluate` says what is known of a candidate. */
export interface FilterNode {
  /** Can only be decided for a frame. */
  readonly needsFrames: boolean;
  /** Every regular expression in it. */
  readonly regexes: readonly PayloadRegex[];
  evaluate(candidate: Candidate): Truth;
}

export function both(parts: readonly FilterNode[]): FilterNode {
  return {
    ...combined(parts),
    evaluate(candidate) {
      let result: Truth = Truth.True;
      for (const part of parts) {
        const value = part.evaluate(candidate);
        if (value === Truth.False) return Truth.False;
        if (value === Truth.Unknown) result = Truth.Unknown;
      }
      return result;
    },
  };
}

export function either(parts: readonly FilterNode[]): FilterNode {
  return {
    ...combined(parts),
    evaluate(candidate) {
      let result: Truth = Truth.False;
      for (const part of parts) {
        const value = part.evaluate(candidate);
        if (value === Truth.True) return Truth.True;
        if (value === Truth.Unknown) result = Truth.Unknown;
      }
      return result;
    },
  };
}

export function negated(part: FilterNode): FilterNode {
  return {
    ...combined([part]),
    evaluate(candidate) {
      const value = part.evaluate(candidate);
      return value === Truth.Unknown ? value : value === Truth.True ? Truth.False : Truth.True;
    },
  };
}

function combined(parts: readonly FilterNode[]): Pick<FilterNode, 'needsFrames' | 'regexes'> {
  return {
    needsFrames: parts.some((part) => part.needsFrames),
    regexes: parts.flatMap((part) => part.regexes),
  };
}

/** A test of the session alone: the same for each of its frames. */
export function sessionTest(test: (candidate: Candidate) => Truth): FilterNode {
  return { needsFrames: false, regexes: [], evaluate: test };
}

/** A test of a frame's columns. A session as a whole may have such a frame unless it has none: or `session` says. */
export function frameTest(
  test: (frame: NonNullable<Candidate['frame']>, candidate: Candidate) => boolean | Truth,
  session: (candidate: Candidate) => Truth = mayHaveOne,
): FilterNode {
  return {
    needsFrames: true,
    regexes: [],
    evaluate(candidate) {
      const { frame } = candidate;
      if (frame !== null) {
        const fact = test(frame, candidate);
        return typeof fact === 'boolean' ? truth(fact) : fact;
      }
      return session(candidate);
    },
  };
}

const mayHaveOne = ({ session }: Candidate): Truth => (session.frameCount === 0 ? Truth.False : Truth.Unknown);

/** A test of a payload. False where the payload is not held. */
export function payloadTest(
  test: (payload: PayloadText) => boolean,
  regexes: readonly PayloadRegex[] = [],
): FilterNode {
  return {
    needsFrames: true,
    regexes,
    evaluate({ session, frame, payload }) {
      if (frame === null) return session.frameCount === 0 ? Truth.False : Truth.Unknown;
      if (payload === undefined) return Truth.Unknown;
      return payload !== null && test(payload) ? Truth.True : Truth.False;
    },
  };
}

/** A test of a payload, or of a part of it, by a regular expression: of its first characters. */
export function regexTest(regex: GuardedRegex, partOf: (payload: PayloadText) => string | null): FilterNode {
  const own: PayloadRegex = {
    regex,
    textOf: (payload) => partOf(payload)?.slice(0, REGEX_CHARACTERS) ?? null,
  };
  return payloadTest(
    (payload) => {
      const known = payload.matches.get(own);
      if (known !== undefined) return known;
      const text = own.textOf(payload);
      return text !== null && regex.test(text);
    },
    [own],
  );
}
