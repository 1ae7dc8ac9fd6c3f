import { create } from 'zustand';
import type { Place } from './place.ts';

export type Theme = 'system' | 'light' | 'dark';

/** What the detail pane shows: a frame or a message of a session. */
export interface Subject {
  readonly kind: 'frame' | 'message';
  readonly session: string;
  readonly index: number;
}

/** What others are compared with. */
export interface Marked extends Subject {
  /** Of a fragment or compressed frame, which has no meaning without its message. */
  readonly viaMessage: boolean;
}

export interface FilterFault {
  /** The filter that was tried: what is written may be another by now. */
  readonly text: string;
  readonly message: string;
  readonly position: number | null;
}

interface UiState extends Place {
  readonly detailOpen: boolean;
  /** Of a fragment or compressed frame: its whole message, or its own bytes. */
  readonly plane: 'message' | 'frame';
  readonly followSessions: boolean;
  /** What the server has accepted of the filter's field. */
  readonly filter: string;
  /** False where the filter is about sessions alone: then it says nothing about frames. */
  readonly filterNeedsFrames: boolean;
  readonly filterFault: FilterFault | null;
  readonly findFault: string | null;
  readonly theme: Theme;
  readonly compareWith: Marked | null;
  readonly dialog: 'help' | 'clear' | 'delete' | null;
  readonly sessionsPx: number;
  readonly detailPx: number;
  readonly wrapText: boolean;
  /** What is looked for in JSON: it stays from one frame to the next. */
  readonly jsonSearch: string;
  /** Said to screen readers and shown for a moment: what was copied, for instance. */
  readonly notice: string | null;
  readonly set: (change: Partial<Omit<UiState, 'set'>>) => void;
}

function remembered<T>(key: string, read: (text: string) => T | undefined, otherwise: T): T {
  const text = localStorage.getItem(`frametap.${key}`);
  return (text === null ? undefined : read(text)) ?? otherwise;
}
const readPx = (text: string): number | undefined => {
  const px = Number(text);
  return Number.isFinite(px) && px > 100 && px < 4000 ? px : undefined;
};
const between = (least: number, px: number, most: number): number => Math.round(Math.min(Math.max(px, least), most));
const readTheme = (text: string): Theme | undefined =>
  text === 'light' || text === 'dark' || text === 'system' ? text : undefined;
const readFlag = (text: string): boolean => text === 'true';

/** What the user has chosen. Nothing of the capture is in here. */
export const useUi = create<UiState>((change) => ({
  session: null,
  tab: 'frames',
  frame: null,
  message: null,
  detailOpen: true,
  detailTab: 'text',
  plane: 'message',
  follow: true,
  followMessages: true,
  framesTop: null,
  messagesTop: null,
  followSessions: true,
  filterText: '',
  filter: '',
  filterNeedsFrames: false,
  filterFault: null,
  direction: 'all',
  kind: 'all',
  find: '',
  range: null,
  findFault: null,
  theme: remembered('theme', readTheme, 'system'),
  compareWith: null,
  dialog: null,
  sessionsPx: remembered('sessionsPx', readPx, between(308, innerWidth * 0.13, 420)),
  detailPx: remembered('detailPx', readPx, between(270, innerHeight * 0.38, 560)),
  wrapText: remembered('wrapText', readFlag, true),
  jsonSearch: '',
  notice: null,
  set: (changes) => {
    change(changes);
    for (const key of ['theme', 'sessionsPx', 'detailPx', 'wrapText'] as const) {
      const value = changes[key];
      if (value !== undefined) localStorage.setItem(`frametap.${key}`, String(value));
    }
  },
}));

export const setUi = useUi.getState().set;

/** What is wrong with what is looked for in a session; null: nothing any more. */
export function sayFault(error: unknown): void {
  const findFault = error === null ? null : error instanceof Error ? error.message : 'It could not be searched.';
  if (findFault !== useUi.getState().findFault) setUi({ findFault });
}

/** Nothing is selected, and the lists of a session stand at their end. */
export const NOTHING_SELECTED = {
  frame: null,
  message: null,
  range: null,
  follow: true,
  followMessages: true,
  framesTop: null,
  messagesTop: null,
} as const;

/** Goes to a frame from elsewhere: it comes into sight, wherever the list stood. */
export function showFrame(frame: number): void {
  setUi({ tab: 'frames', frame, detailOpen: true, follow: false, framesTop: null });
}

/** Opens another session: what was selected in the one before is let go. */
export function openSession(id: string | null): void {
  if (id === useUi.getState().session) return;
  setUi({ session: id, find: '', findFault: null, ...NOTHING_SELECTED });
}
