import { useMemo, useState, type ReactNode } from 'react';
import { formatCount } from '../format/numbers.ts';
import { visibleParts } from '../format/visible-text.ts';
import { setUi, useUi } from '../state.ts';

const FIRST_CHARS = 32 * 1024;

/** Text as text nodes, cut at a length that draws at once; more on demand. */
export function TextView({ text }: { readonly text: string }): ReactNode {
  const [limit, setLimit] = useState(FIRST_CHARS);
  const wrap = useUi((ui) => ui.wrapText);
  const parts = useMemo(() => visibleParts(text.slice(0, limit)), [text, limit]);
  const rest = text.length - limit;
  return (
    <div className="text-view" tabIndex={0} role="region" aria-label="Text">
      <label className="wrap">
        <input type="checkbox" checked={wrap} onChange={(event) => setUi({ wrapText: event.target.checked })} /> wrap
      </label>
      <pre className={wrap ? 'wrapped' : ''}>
        {parts.map((part, at) =>
          part.symbol ? (
            <span key={at} className="symbol">
              {part.text}
            </span>
          ) : (
            part.text
          ),
        )}
      </pre>
      {rest > 0 && (
        <div className="more">
          <span className="dim">{formatCount(rest)} more characters</span>
          <button type="button" className="button small" onClick={() => setLimit(limit * 4)}>
            show more
          </button>
        </div>
      )}
    </div>
  );
}
