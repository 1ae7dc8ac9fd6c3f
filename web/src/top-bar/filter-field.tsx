import { Search, X } from 'lucide-react';
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { ApiError, fetchCompletions, fetchSessions } from '../capture/api.ts';
import { onFilterKey } from '../shell/keyboard.ts';
import { setUi, useUi, type FilterFault } from '../state.ts';
import { completionsIn, type Completion } from './filter-completion.ts';

/** The server reads the filter once typing has paused for so long. */
const PAUSE_MS = 220;
/** A server that did not answer is asked again after so long. */
const AGAIN_MS = 2000;

export function FilterField(): ReactNode {
  const text = useUi((ui) => ui.filterText);
  const fault = useUi((ui) => ui.filterFault);
  const [completions, setCompletions] = useState<readonly Completion[]>([]);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();

  useEffect(
    () =>
      onFilterKey(() => {
        input.current?.focus();
        input.current?.select();
      }),
    [],
  );
  useEffect(() => checkFilter(text), [text]);

  const asked = useRef<AbortController | null>(null);
  useEffect(() => () => asked.current?.abort(), []);
  const hide = (): void => {
    asked.current?.abort();
    setCompletions([]);
  };
  const complete = (written: string, caret: number): void => {
    asked.current?.abort();
    const abort = new AbortController();
    asked.current = abort;
    setActive(-1);
    fetchCompletions(written, caret, abort.signal).then(
      (answer) => setCompletions(completionsIn(written, answer)),
      // Without an answer there is nothing to offer; that the connection is cut is said elsewhere.
      () => abort.signal.aborted || setCompletions([]),
    );
  };
  const take = (completion: Completion): void => {
    setUi({ filterText: completion.text });
    hide();
    const field = input.current;
    if (field === null) return;
    field.focus();
    requestAnimationFrame(() => field.setSelectionRange(completion.caret, completion.caret));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      if (completions.length > 0) hide();
      else if (text !== '') setUi({ filterText: '' });
      else input.current?.blur();
      event.preventDefault();
    } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && completions.length > 0) {
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((active + step + completions.length) % completions.length);
      event.preventDefault();
    } else if ((event.key === 'Enter' || event.key === 'Tab') && completions[active] !== undefined) {
      take(completions[active]);
      event.preventDefault();
    } else if (event.key === 'Enter') hide();
  };

  return (
    <div className={`filter ${fault === null ? '' : 'wrong'}`}>
      <Search size={13} aria-hidden className="filter-icon" />
      <input
        ref={input}
        className="field mono"
        type="text"
        spellCheck={false}
        autoComplete="off"
        placeholder="filter sessions and frames"
        aria-label="Filter"
        role="combobox"
        aria-expanded={completions.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        aria-invalid={fault !== null}
        aria-describedby={fault === null ? undefined : `${id}-fault`}
        value={text}
        onChange={(event) => {
          const { value, selectionStart } = event.target;
          setUi({ filterText: value });
          complete(value, selectionStart ?? value.length);
        }}
        onFocus={(event) => complete(text, event.target.selectionStart ?? text.length)}
        onBlur={hide}
        onKeyDown={onKeyDown}
      />
      {text === '' ? (
        <kbd aria-hidden>/</kbd>
      ) : (
        <button
          type="button"
          className="filter-clear"
          aria-label="Clear the filter"
          onClick={() => setUi({ filterText: '' })}
        >
          <X size={13} aria-hidden />
        </button>
      )}
      <div className="filter-below">
        <ul
          id={`${id}-list`}
          role="listbox"
          aria-label="Completions"
          className="popover completions"
          hidden={completions.length === 0}
        >
          {completions.map((completion, at) => (
            <li
              key={completion.label}
              id={`${id}-${at}`}
              role="option"
              aria-selected={at === active}
              onMouseDown={(event) => {
                event.preventDefault();
                take(completion);
              }}
            >
              <code>{completion.label}</code>
              <span>{completion.means}</span>
            </li>
          ))}
        </ul>
        {fault !== null && <Fault id={`${id}-fault`} {...fault} />}
      </div>
    </div>
  );
}

/** The text again with a mark under where it is wrong, and what the server says of it. */
function Fault(props: FilterFault & { readonly id: string }): ReactNode {
  const { text, position } = props;
  const start = position === null ? 0 : Math.max(0, position - 24);
  return (
    <div id={props.id} className="popover filter-fault" role="alert">
      {position !== null && (
        <pre aria-hidden>
          {start > 0 ? '…' : ''}
          {text.slice(start, position)}
          <mark>{text.slice(position, position + 1) || ' '}</mark>
          {text.slice(position + 1, position + 40)}
        </pre>
      )}
      <div>{props.message}</div>
      <div className="dim">The list still shows what passed the filter before.</div>
    </div>
  );
}

function checkFilter(text: string): () => void {
  const wanted = text.trim();
  if (wanted === '') {
    setUi({ filter: '', filterFault: null });
    return () => undefined;
  }
  const abort = new AbortController();
  const ask = (): void => {
    fetchSessions({ limit: 1, filter: text }, abort.signal).then(
      ({ needsFrames }) => setUi({ filter: text, filterNeedsFrames: needsFrames, filterFault: null }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        setUi({ filterFault: { text, message, position: error instanceof ApiError ? error.position : null } });
        // What has nothing to do with the filter may be over by then.
        if (!(error instanceof ApiError) || error.status >= 500) timer = setTimeout(ask, AGAIN_MS);
      },
    );
  };
  let timer = setTimeout(ask, PAUSE_MS);
  return () => {
    clearTimeout(timer);
    abort.abort();
  };
}
