import { memo, useEffect, type ReactNode } from 'react';
import { DetailPane } from '../detail/detail-pane.tsx';
import { Splitter } from '../shell/splitter.tsx';
import { sayFault, setUi, useUi } from '../state.ts';
import { useCapture } from '../use-capture.ts';
import { frameFilter } from './frame-filter.ts';
import { FrameTable } from './frame-table.tsx';
import { FrameTools } from './frame-tools.tsx';
import './frames.css';

/** Drawn again only when something of its own changes, not with each count in the session list. */
export const FramesTab = memo(function FramesTab({ sessionId: id }: { readonly sessionId: string }): ReactNode {
  const capture = useCapture();
  const frame = useUi((ui) => ui.frame);
  const detailOpen = useUi((ui) => ui.detailOpen);
  const detailPx = useUi((ui) => ui.detailPx);
  const filter = useUi((ui) => frameFilter(ui));
  const range = useUi((ui) => ui.range);

  useEffect(() => {
    // The page selects the session in an effect of its own, above this one: after it.
    capture.select(id);
    capture.filterFrames(filter, range, sayFault);
    setUi({ findFault: null });
    return () => capture.filterFrames(null, null, () => undefined);
  }, [capture, id, filter, range]);

  return (
    <>
      <FrameTools />
      <FrameTable sessionId={id} />
      {detailOpen && frame !== null && (
        <>
          <Splitter
            orientation="horizontal"
            label="Height of the detail"
            valuePx={detailPx}
            minPx={120}
            maxPx={1200}
            sense={-1}
            onChange={(px) => setUi({ detailPx: px })}
          />
          <DetailPane subject={{ kind: 'frame', session: id, index: frame }} heightPx={detailPx} />
        </>
      )}
    </>
  );
});
