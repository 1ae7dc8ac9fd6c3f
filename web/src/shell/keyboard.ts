/** Who reacts to a global key registers here; the views stay apart. */
function channel(): { readonly on: (listener: () => void) => () => void; readonly fire: () => void } {
  const listeners = new Set<() => void>();
  return {
    on: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    fire: () => {
      for (const listener of listeners) listener();
    },
  };
}
const filterKey = channel();
const exportKey = channel();
export const onFilterKey = filterKey.on;
export const onExportKey = exportKey.on;

/** Moves the selection in the list that the tab shows; negative is up. */
export type Step = number | 'first' | 'last';
const stepListeners = new Set<(step: Step) => void>();
export function onStep(listener: (step: Step) => void): () => void {
  stepListeners.add(listener);
  return () => stepListeners.delete(listener);
}

export interface KeyActions {
  readonly openDetail: () => void;
  readonly closeDetail: () => void;
  readonly moveSession: (by: 1 | -1) => void;
  readonly toggleFollow: () => void;
  readonly togglePause: () => void;
  readonly showHelp: () => void;
}

/** All keys, as the help shows them. */
export const KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['/'], 'to the filter'],
  [['j', '↓'], 'next frame or message'],
  [['k', '↑'], 'frame or message before'],
  [['Home', 'End'], 'first, last (in the list)'],
  [['Enter'], 'open the detail'],
  [['Esc'], 'close the detail; empty the filter'],
  [['[', ']'], 'session before, next session'],
  [['f'], 'follow the end, or stop following'],
  [['p'], 'pause the view, or resume it'],
  [['e'], 'export'],
  [['?'], 'this list'],
];

/** Listens for the keys that work anywhere but where one writes. Returns the way to stop. */
export function listenForKeys(actions: KeyActions): () => void {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    if (target?.closest('input, textarea, select, [contenteditable], [role="menu"], [role="dialog"]') != null) return;
    const onControl = target?.closest('button, a, [role="tab"], [role="separator"], [role="tree"], .vlist') != null;
    const act = actionOf(event.key, actions, onControl);
    if (act === null) return;
    event.preventDefault();
    act();
  };
  document.addEventListener('keydown', onKeyDown);
  return () => document.removeEventListener('keydown', onKeyDown);
}

function actionOf(key: string, actions: KeyActions, onControl: boolean): (() => void) | null {
  const step = (by: Step) => (): void => {
    for (const listener of stepListeners) listener(by);
  };
  switch (key) {
    case '/':
      return filterKey.fire;
    case 'e':
      return exportKey.fire;
    case '?':
      return actions.showHelp;
    case 'f':
      return actions.toggleFollow;
    case 'p':
      return actions.togglePause;
    case '[':
      return () => actions.moveSession(-1);
    case ']':
      return () => actions.moveSession(1);
    case 'j':
      return step(1);
    case 'k':
      return step(-1);
    case 'ArrowDown':
      return onControl ? null : step(1);
    case 'ArrowUp':
      return onControl ? null : step(-1);
    case 'Enter':
      return onControl ? null : actions.openDetail;
    case 'Escape':
      return actions.closeDetail;
    default:
      return null;
  }
}
