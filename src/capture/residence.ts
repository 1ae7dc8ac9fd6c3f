import type { Segment } from './segment.ts';

/** A segment with rows of a session, the index of its first frame there, and how many messages began before that. */
export interface Place {
  readonly segment: Segment;
  readonly firstIndex: number;
  readonly messagesBefore: number;
}

/**
 * Where a session's rows are, oldest first. Most sessions have one place for ever, and there are many of them: a list is
 * exchanged for another of just its length, because one that grows in place is given room for sixteen more.
 */
export const NO_PLACES: readonly Place[] = [];

export function placesWith(places: readonly Place[], place: Place): readonly Place[] {
  return places.length === 0 ? [place] : places.concat([place]);
}

export function placesWithout(places: readonly Place[], segment: Segment): readonly Place[] {
  const left = places.filter((place) => place.segment !== segment);
  return left.length === 0 ? NO_PLACES : left;
}

/** Null where `old` is none of them. */
export function placesMoved(places: readonly Place[], old: Segment, fresh: Segment): readonly Place[] | null {
  if (!places.some((place) => place.segment === old)) return null;
  return places.map((place) => (place.segment === old ? { ...place, segment: fresh } : place));
}
