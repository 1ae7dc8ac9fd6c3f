import { Copy, GitCompare, Save, X } from 'lucide-react';
import type { KeyboardEvent, ReactNode } from 'react';
import { formatBytes } from '../format/numbers.ts';
import { decodeStrict, hexText } from '../format/preview.ts';
import { copyText, sayUnread } from '../shell/copy.ts';
import { DETAIL_TABS, type DetailTab } from '../place.ts';
import { setUi, useUi, type Subject } from '../state.ts';
import { CopyMenu } from './copy-menu.tsx';
import type { PayloadState } from './use-payload.ts';

const TAB_NAMES: Readonly<Record<DetailTab, string>> = {
  text: 'Text',
  json: 'JSON',
  decoded: 'Decoded',
  hex: 'Hex',
  bits: 'Bits',
  compare: 'Compare',
};

/** The bar above what is shown: the ways to show it, what it is, and what can be done with it. */
export function DetailHead(props: {
  readonly title: string;
  readonly facts: string;
  /** What is known beyond the facts: shown while one points at them. */
  readonly moreFacts?: string;
  readonly subject: Subject;
  readonly withoutBits?: boolean;
  readonly children?: ReactNode;
}): ReactNode {
  const chosen = useUi((ui) => ui.detailTab);
  const tabs = DETAIL_TABS.filter((name) => !(props.withoutBits === true && name === 'bits'));
  const tab = tabs.includes(chosen) ? chosen : 'text';
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
    if (next === undefined) return;
    setUi({ detailTab: next });
    document.getElementById(`detail-tab-${next}`)?.focus();
  };
  return (
    <div className="detail-head">
      <div className="detail-tabs" role="tablist" aria-label="Ways to show it" onKeyDown={onKeyDown}>
        {tabs.map((name) => (
          <button
            key={name}
            id={`detail-tab-${name}`}
            type="button"
            role="tab"
            className="tab"
            aria-selected={name === tab}
            aria-controls="detail-panel"
            tabIndex={name === tab ? 0 : -1}
            onClick={() => setUi({ detailTab: name })}
          >
            {TAB_NAMES[name]}
          </button>
        ))}
      </div>
      <span className="detail-title" title={props.moreFacts}>
        <b>{props.title}</b> <span className="dim">{props.facts}</span>
      </span>
      {props.children !== undefined && <span className="detail-tools">{props.children}</span>}
      <button
        type="button"
        className="button plain small icon detail-close"
        aria-label="Close the detail"
        title="Close (Esc)"
        onClick={() => setUi({ detailOpen: false })}
      >
        <X size={13} aria-hidden />
      </button>
    </div>
  );
}

/** Mark, copy, copy as, save. */
export function DetailActions(props: {
  readonly subject: Subject;
  /** The frame is a fragment or compressed: what is shown may be its whole message. */
  readonly viaMessage: boolean;
  readonly payload: PayloadState<unknown>;
  readonly isText: (bytes: Uint8Array) => boolean;
  readonly toServer: boolean;
  readonly facts: () => Promise<object>;
  readonly fileName: string;
}): ReactNode {
  const { payload, subject, viaMessage } = props;
  return (
    <span className="detail-actions">
      <button
        type="button"
        className="button small plain"
        aria-label="mark"
        title="Keep this one to compare another with it"
        onClick={() => setUi({ compareWith: { ...subject, viaMessage }, detailTab: 'compare' })}
      >
        <GitCompare size={12} aria-hidden /> <span className="word">mark</span>
      </button>
      <button
        type="button"
        className="button small plain"
        aria-label="copy"
        title="Copy it as text; as hex where it is none"
        onClick={() => void copyPayload(payload)}
      >
        <Copy size={12} aria-hidden /> <span className="word">copy</span>
      </button>
      <CopyMenu
        session={subject.session}
        payload={payload}
        isText={props.isText}
        toServer={props.toServer}
        facts={props.facts}
      />
      <a className="button small plain" aria-label="save" href={payload.path} download={props.fileName}>
        <Save size={12} aria-hidden /> <span className="word">save</span>
      </a>
    </span>
  );
}

async function copyPayload(payload: PayloadState<unknown>): Promise<void> {
  try {
    const { bytes, whole } = await payload.read();
    const text = decodeStrict(bytes);
    const what = whole ? 'Payload' : `The first ${formatBytes(bytes.length)} of the payload`;
    await (text === null ? copyText(hexText(bytes), `${what}, as hex,`) : copyText(text, what));
  } catch (error) {
    sayUnread(error);
  }
}
