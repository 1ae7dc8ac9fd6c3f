import { ChevronDown, ChevronRight, Copy } from 'lucide-react';
import { useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { formatCount } from '../format/numbers.ts';
import { visibleLine } from '../format/visible-text.ts';
import { copyText } from '../shell/copy.ts';
import { setUi, useUi } from '../state.ts';
import { VirtualRows, type VirtualRowsHandle } from '../window/virtual-rows.tsx';
import { JsonDocument } from './json-document.ts';

const ROW_PX = 19;
const INDENT_PX = 14;
/** Deeper levels are not indented further; their depth is written instead. */
const MAX_INDENT = 40;
const OPEN_DEPTH = 2;
const MAX_FOUND = 10_000;
const MAX_VALUE_CHARS = 600;

/** JSON as an outline. What is closed costs nothing; what is open is drawn as far as it is visible. */
export function JsonView(props: {
  readonly text: string;
  /** There is more of it, which is not shown. */
  readonly cut?: boolean;
  readonly label?: string;
}): ReactNode {
  const { text, cut = false, label = 'JSON' } = props;
  const json = useMemo(() => new JsonDocument(text), [text]);
  return json.count === 0 ? <NotJson json={json} /> : <Outline key={text} json={json} label={label} cut={cut} />;
}

function NotJson({ json }: { readonly json: JsonDocument }): ReactNode {
  return (
    <div className="detail-note">
      This is not JSON: {json.fault?.message ?? 'it is empty'} at character {formatCount(json.fault?.offset ?? 0)}.
    </div>
  );
}

function Outline(props: { readonly json: JsonDocument; readonly label: string; readonly cut: boolean }): ReactNode {
  const { json, label, cut } = props;
  /** Nodes that are not as they are by default: open above OPEN_DEPTH, closed below. */
  const [toggled, setToggled] = useState<ReadonlySet<number>>(new Set());
  const [selected, setSelected] = useState(0);
  const search = useUi((ui) => ui.jsonSearch);
  const handle = useRef<VirtualRowsHandle>(null);

  const isOpen = (node: number): boolean => json.depth(node) < OPEN_DEPTH !== toggled.has(node);
  const shown = useMemo(
    () => json.outline((node) => json.depth(node) < OPEN_DEPTH !== toggled.has(node)),
    [json, toggled],
  );
  const found = useMemo(() => json.find(search, MAX_FOUND), [json, search]);

  const setOpen = (node: number, open: boolean): void => {
    if (!json.isContainer(node) || isOpen(node) === open) return;
    const next = new Set(toggled);
    if (!next.delete(node)) next.add(node);
    setToggled(next);
  };
  const show = (node: number): void => {
    const next = new Set(toggled);
    for (let at = json.parent(node); at >= 0; at = json.parent(at)) {
      if (json.depth(at) < OPEN_DEPTH === next.has(at)) {
        if (!next.delete(at)) next.add(at);
      }
    }
    setToggled(next);
    setSelected(node);
    const position = json.outline((at) => json.depth(at) < OPEN_DEPTH !== next.has(at)).indexOf(node);
    requestAnimationFrame(() => handle.current?.reveal(position, { center: true }));
  };
  const findNext = (by: 1 | -1): void => {
    if (found.length === 0) return;
    const at = found.findIndex((node) => node >= selected);
    const here = found[at] === selected;
    const from = at < 0 ? found.length : at;
    const next = by > 0 ? (here ? from + 1 : from) : from - 1;
    const node = found[(next + found.length) % found.length];
    if (node !== undefined) show(node);
  };
  const setAll = (open: boolean): void => {
    const next = new Set<number>();
    for (let node = 0; node < json.count; node += 1) {
      if (json.isContainer(node) && json.depth(node) < OPEN_DEPTH !== open) next.add(node);
    }
    if (!open) next.delete(0);
    setToggled(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = shown.indexOf(selected);
    const moveTo = (position: number): void => {
      const node = shown[Math.min(Math.max(0, position), shown.length - 1)];
      if (node === undefined) return;
      setSelected(node);
      handle.current?.reveal(shown.indexOf(node));
    };
    if (event.key === 'ArrowDown') moveTo(at + 1);
    else if (event.key === 'ArrowUp') moveTo(at - 1);
    else if (event.key === 'Home') moveTo(0);
    else if (event.key === 'End') moveTo(shown.length - 1);
    else if (event.key === 'ArrowRight') {
      if (json.isContainer(selected) && !isOpen(selected)) setOpen(selected, true);
      else moveTo(at + 1);
    } else if (event.key === 'ArrowLeft') {
      if (json.isContainer(selected) && isOpen(selected)) setOpen(selected, false);
      else if (json.parent(selected) >= 0) moveTo(shown.indexOf(json.parent(selected)));
    } else if (event.key === 'c' && !event.ctrlKey && !event.metaKey) void copyText(json.path(selected), 'Path');
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="json-view">
      <div className="json-tools">
        <input
          className="field find"
          type="text"
          placeholder="search names and values"
          aria-label={`Search in ${label}`}
          spellCheck={false}
          value={search}
          onChange={(event) => setUi({ jsonSearch: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') findNext(event.shiftKey ? -1 : 1);
          }}
        />
        {search !== '' && (
          <span className="dim" role="status">
            {found.length === MAX_FOUND ? `${formatCount(MAX_FOUND)} and more` : formatCount(found.length)} found
          </span>
        )}
        <span className="json-path mono" title="Path of the selected value">
          {visibleLine(json.path(selected).slice(0, 400))}
        </span>
        <button
          type="button"
          className="button small plain"
          title="Copy the path (c)"
          onClick={() => void copyText(json.path(selected), 'Path')}
        >
          <Copy size={12} aria-hidden /> path
        </button>
        <button
          type="button"
          className="button small plain"
          onClick={() => void copyText(json.source(selected), 'Value')}
        >
          <Copy size={12} aria-hidden /> value
        </button>
        <button type="button" className="button small plain" onClick={() => setAll(true)}>
          open all
        </button>
        <button type="button" className="button small plain" onClick={() => setAll(false)}>
          close all
        </button>
      </div>
      {json.fault !== null && cut && (
        <div className="detail-note">Shown up to character {formatCount(json.fault.offset)}: the rest is cut.</div>
      )}
      {json.fault !== null && !cut && (
        <div className="detail-note error">
          From character {formatCount(json.fault.offset)} on this is not JSON: {json.fault.message}.
        </div>
      )}
      <VirtualRows
        role="tree"
        label={label}
        rowPx={ROW_PX}
        count={shown.length}
        handle={handle}
        onKeyDown={onKeyDown}
        activeId={`json-${selected}`}
        row={(position, topPx, slot) => {
          const node = shown[position] ?? 0;
          return (
            <Row
              key={slot}
              json={json}
              node={node}
              open={isOpen(node)}
              selected={node === selected}
              topPx={topPx}
              onSelect={() => setSelected(node)}
              onToggle={() => setOpen(node, !isOpen(node))}
            />
          );
        }}
      />
    </div>
  );
}

interface RowProps {
  readonly json: JsonDocument;
  readonly node: number;
  readonly open: boolean;
  readonly selected: boolean;
  readonly topPx: number;
  readonly onSelect: () => void;
  readonly onToggle: () => void;
}

function Row({ json, node, open, selected, topPx, onSelect, onToggle }: RowProps): ReactNode {
  const container = json.isContainer(node);
  const depth = json.depth(node);
  const key = json.keySource(node);
  const inArray = key === null && json.parent(node) >= 0;
  return (
    <div
      id={`json-${node}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-expanded={container ? open : undefined}
      aria-selected={selected}
      className={`vrow json-row ${selected ? 'selected' : ''}`}
      style={{ top: topPx, height: ROW_PX, paddingLeft: 8 + Math.min(depth, MAX_INDENT) * INDENT_PX }}
      onMouseDown={onSelect}
      onDoubleClick={onToggle}
    >
      {container && json.children(node) > 0 ? (
        <span className="json-toggle" aria-hidden onClick={onToggle}>
          {open ? <ChevronDown size={12} /> : <ChevronRight size={12} />}
        </span>
      ) : (
        <span className="json-toggle" />
      )}
      {depth > MAX_INDENT && <span className="dim">[{depth}] </span>}
      {key !== null && <span className="json-key">{visibleLine(key.slice(1, -1))}: </span>}
      {inArray && <span className="dim">{json.ordinal(node)}: </span>}
      {container ? (
        <span className="dim">{containerText(json, node, open)}</span>
      ) : (
        <span className={`json-${json.kind(node)}`}>
          {visibleLine(json.source(node, MAX_VALUE_CHARS))}
          {json.sourceLength(node) > MAX_VALUE_CHARS && '…'}
        </span>
      )}
    </div>
  );
}

function containerText(json: JsonDocument, node: number, open: boolean): string {
  const object = json.kind(node) === 'object';
  const children = json.children(node);
  if (children === 0) return object ? '{}' : '[]';
  const size = `${formatCount(children)} ${object ? (children === 1 ? 'member' : 'members') : children === 1 ? 'element' : 'elements'}`;
  if (open) return `${object ? '{' : '['} ${size}`;
  return `${visibleLine(json.source(node, 100).replaceAll(/\s+/g, ' '))}${json.sourceLength(node) > 100 ? '…' : ''}  ${size}`;
}
