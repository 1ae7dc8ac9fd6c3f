export const TABS = ['frames', 'messages', 'handshake', 'timing', 'heartbeat', 'statistics', 'close'] as const;
export type Tab = (typeof TABS)[number];
export const DETAIL_TABS = ['text', 'json', 'decoded', 'hex', 'bits', 'compare'] as const;
export type DetailTab = (typeof DETAIL_TABS)[number];
export type DirectionChoice = 'all' | 'up' | 'down';
export type KindChoice = 'all' | 'data' | 'control';

/** Frames [from, to) of a session. */
export interface FrameRange {
  readonly from: number;
  readonly to: number;
}

/** Where one is and what one looks for. */
export interface Place {
  readonly session: string | null;
  readonly tab: Tab;
  /** Selected frame and message of the selected session. */
  readonly frame: number | null;
  readonly message: number | null;
  readonly detailTab: DetailTab;
  /** What stands in the filter's field. */
  readonly filterText: string;
  /** Text or /regex/ looked for in the selected session. */
  readonly find: string;
  readonly direction: DirectionChoice;
  readonly kind: KindChoice;
  /** The stretch of frames that is listed, where it is not all. */
  readonly range: FrameRange | null;
  /** Whether the lists stay at their end; else the frame or message that is at the top, 12.5: half hidden. */
  readonly follow: boolean;
  readonly followMessages: boolean;
  readonly framesTop: number | null;
  readonly messagesTop: number | null;
}

/** So much of an epoch tells one run of the server, or one clear, from another. */
const RUN_CHARS = 8;

/** What the address says after its `#`. Session and frame numbers mean something in one run of the server only. */
export interface WrittenPlace extends Place {
  readonly run: string | null;
}

export function writePlace(place: Place, epoch: string | null): string {
  const pairs = new URLSearchParams();
  const put = (name: string, value: string | number | null, usual: string | null = null): void => {
    if (value !== null && value !== usual && value !== '') pairs.set(name, String(value));
  };
  put('session', place.session);
  put('tab', place.tab, 'frames');
  put('frame', place.frame);
  put('message', place.message);
  put('view', place.detailTab, 'text');
  put('filter', place.filterText);
  put('find', place.find);
  put('direction', place.direction, 'all');
  put('kind', place.kind, 'all');
  if (place.range !== null) put('range', `${place.range.from}-${place.range.to}`);
  put('at', writeTop(place.follow, place.framesTop, place.frame));
  put('messages-at', writeTop(place.followMessages, place.messagesTop, place.message));
  if (place.session !== null && epoch !== null) put('run', epoch.slice(0, RUN_CHARS));
  return pairs.toString();
}

/** Reads an address, whoever wrote it: what is not understood counts as not said. */
export function readPlace(hash: string): WrittenPlace {
  const pairs = new URLSearchParams(hash.replace(/^#/, ''));
  const oneOf = <T extends string>(name: string, values: readonly [T, ...(readonly T[])]): T =>
    values.find((value) => value === pairs.get(name)) ?? values[0];
  const index = (name: string): number | null =>
    /^\d{1,15}$/.test(pairs.get(name) ?? '') ? Number(pairs.get(name)) : null;
  const at = readTop(pairs.get('at'), index('frame'));
  const messagesAt = readTop(pairs.get('messages-at'), index('message'));
  return {
    session: index('session') === null ? null : String(index('session')),
    tab: oneOf('tab', TABS),
    frame: index('frame'),
    message: index('message'),
    detailTab: oneOf('view', DETAIL_TABS),
    filterText: pairs.get('filter') ?? '',
    find: pairs.get('find') ?? '',
    direction: oneOf('direction', ['all', 'up', 'down']),
    kind: oneOf('kind', ['all', 'data', 'control']),
    range: readRange(pairs.get('range')),
    follow: at.follow,
    followMessages: messagesAt.follow,
    framesTop: at.top,
    messagesTop: messagesAt.top,
    run: pairs.get('run'),
  };
}

/** A list is followed where nothing else is said, and nothing in it is selected. */
function writeTop(follow: boolean, top: number | null, selected: number | null): string | number | null {
  if (follow) return selected === null ? null : 'end';
  return top === null ? null : Math.floor(top);
}

function readTop(
  text: string | null,
  selected: number | null,
): { readonly follow: boolean; readonly top: number | null } {
  if (text === 'end') return { follow: true, top: null };
  if (/^\d{1,15}$/.test(text ?? '')) return { follow: false, top: Number(text) };
  return { follow: selected === null, top: null };
}

function readRange(text: string | null): FrameRange | null {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? '');
  return match === null ? null : { from: Number(match[1]), to: Number(match[2]) };
}

/** Whether a place's session is one of this run of the server. */
export function isOfRun(place: WrittenPlace, epoch: string | null): boolean {
  return place.session !== null && place.run !== null && epoch?.startsWith(place.run) === true;
}
