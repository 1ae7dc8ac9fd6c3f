import { useMemo, useState, type ReactNode } from 'react';
import { masked } from '../../../src/contract/frame-bits.ts';
import { FRAME_VIOLATIONS, violationCodes } from '../../../src/contract/violations.ts';
import type { StoredRow } from '../capture/stored-row.ts';
import { asciiText, hexText } from '../format/preview.ts';
import { drawFields, frameFields, headerBytes, type FieldPiece, type FrameField } from './frame-fields.ts';
import { HexView, type HexMark } from './hex-view.tsx';
import { formatCounted } from '../format/numbers.ts';

/** Bytes of payload in the drawing, and in the table below it. */
const DRAWN_BYTES = 10;

interface BitsViewProps {
  readonly row: StoredRow;
  /** The frame as on the wire, or its beginning. */
  readonly wire: Uint8Array;
}

/** The frame as RFC 6455 §5.2 draws it; a field and its bytes are marked together. */
export function BitsView({ row, wire }: BitsViewProps): ReactNode {
  /** Names of the fields that are pointed at, in the drawing or by a byte of theirs. */
  const [hovered, setHovered] = useState<readonly string[]>([]);
  const header = headerBytes(row.bits);
  const fields = useMemo(() => withPayload(frameFields(row), header, row, wire), [row, header, wire]);
  const pieces = useMemo(() => drawFields(fields), [fields]);
  const marks = useMemo(() => {
    const all = fields.map((field) => markOf(field, hovered, row));
    return [...all.filter((mark) => mark.className.endsWith('hot')), ...all];
  }, [fields, hovered, row]);
  const rows = Math.max(...pieces.map((piece) => piece.row)) + 1;

  const onHover = (at: number | null): void => {
    const names =
      at === null
        ? []
        : fields
            .filter((field) => at * 8 + 7 >= field.bitStart && at * 8 < bitEnd(field, row))
            .map((field) => field.name);
    if (names.join() !== hovered.join()) setHovered(names);
  };
  const shown = fields.filter((field) => hovered.includes(field.name));
  return (
    <div className="bits-view">
      <div className="bits-left" tabIndex={0} role="region" aria-label="Frame header">
        <Violations bits={row.violations} />
        <div className="bit-scale" aria-hidden>
          {Array.from({ length: 32 }, (_, bit) => (
            <span key={bit}>{bit % 8 === 0 || bit === 31 ? bit : ''}</span>
          ))}
        </div>
        <div className="bit-grid" style={{ gridTemplateRows: `58px repeat(${rows - 1}, 38px)` }}>
          {pieces.map((piece) => (
            <button
              key={`${piece.field.name} ${piece.row}`}
              type="button"
              tabIndex={piece.continued ? -1 : 0}
              className={`bit-field ${fieldClass(piece.field.name)} ${hovered.includes(piece.field.name) ? 'hot' : ''} ${piece.width <= 2 ? 'slim' : ''}`}
              style={{ gridRow: piece.row + 1, gridColumn: `${piece.column + 1} / span ${piece.width}` }}
              title={piece.field.means}
              onMouseEnter={() => setHovered([piece.field.name])}
              onMouseLeave={() => setHovered([])}
              onFocus={() => setHovered([piece.field.name])}
              onBlur={() => setHovered([])}
            >
              <span className="bit-name">
                {piece.continued ? '⋯ ' : ''}
                {piece.field.name}
              </span>
              <span className="bit-value mono">{pieceValue(piece, wire, row)}</span>
            </button>
          ))}
        </div>
        <p className="bit-means" aria-live="off">
          {shown.length === 0 && <span className="dim">Point at a field or at a byte: they belong together.</span>}
          {shown.map((field) => (
            <span key={field.name}>
              <b>{field.name}</b> {field.means}
            </span>
          ))}
        </p>
        {masked(row.bits) && row.payloadLength > 0 && <Unmasking row={row} wire={wire} header={header} />}
        <dl className="bit-facts">
          <dt>Header</dt>
          <dd>
            {header} bytes at offset {row.streamOffset.toLocaleString('en-US')} of this direction
          </dd>
        </dl>
      </div>
      <HexView bytes={wire} marks={marks} onHover={onHover} label="The frame as on the wire, in hex" />
    </div>
  );
}

export function Violations({ bits }: { readonly bits: number }): ReactNode {
  const codes = violationCodes(bits);
  if (codes.length === 0) return null;
  return (
    <ul className="violations">
      {FRAME_VIOLATIONS.filter(([code]) => codes.includes(code)).map(([code, section, sentence]) => (
        <li key={code}>
          <b>⚠ {code}</b> <span className="chip error">{section}</span> {sentence}
        </li>
      ))}
    </ul>
  );
}

function Unmasking(props: { readonly row: StoredRow; readonly wire: Uint8Array; readonly header: number }): ReactNode {
  const { row, wire, header } = props;
  const bytes = wire.subarray(header, header + DRAWN_BYTES);
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, row.maskingKey);
  const keys = bytes.map((_, at) => key[at % 4] ?? 0);
  const plain = bytes.map((byte, at) => byte ^ (keys[at] ?? 0));
  const more = row.payloadLength > bytes.length ? ' …' : '';
  return (
    <table className="unmasking mono">
      <caption>Unmasking (§5.3)</caption>
      <tbody>
        <tr>
          <th scope="row">on the wire</th>
          <td>
            {hexText(bytes)}
            {more}
          </td>
        </tr>
        <tr>
          <th scope="row">XOR key</th>
          <td>
            {hexText(keys)}
            {more}
          </td>
        </tr>
        <tr>
          <th scope="row">payload</th>
          <td>
            {hexText(plain)}
            {more}
          </td>
        </tr>
        <tr>
          <th scope="row">as text</th>
          <td>{[...asciiText(plain)].join('  ')}</td>
        </tr>
      </tbody>
    </table>
  );
}

function withPayload(
  fields: readonly FrameField[],
  header: number,
  row: StoredRow,
  wire: Uint8Array,
): readonly FrameField[] {
  if (row.payloadLength === 0) return fields;
  const drawn = Math.min(row.payloadLength, DRAWN_BYTES);
  const bytes = wire.subarray(header, header + drawn);
  return [
    ...fields,
    {
      name: 'payload',
      bitStart: header * 8,
      bitLength: drawn * 8,
      value: hexText(bytes) + (row.payloadLength > drawn ? ' …' : ''),
      means: `${formatCounted(row.payloadLength, 'byte')}${masked(row.bits) ? ', masked' : ''}`,
    },
  ];
}

/** Of the payload, each row of the drawing shows its own bytes. */
function pieceValue(piece: FieldPiece, wire: Uint8Array, row: StoredRow): string {
  const { field } = piece;
  if (field.name !== 'payload') return piece.continued ? '' : field.value;
  const start = (piece.row * 32 + piece.column) / 8;
  const end = start + piece.width / 8;
  const more = end * 8 === field.bitStart + field.bitLength && row.payloadLength * 8 > field.bitLength ? ' …' : '';
  return hexText(wire.subarray(start, end)) + more;
}

function bitEnd(field: FrameField, row: StoredRow): number {
  return field.name === 'payload' ? field.bitStart + row.payloadLength * 8 : field.bitStart + field.bitLength;
}

function markOf(field: FrameField, hovered: readonly string[], row: StoredRow): HexMark {
  const hot = hovered.includes(field.name) ? ' hot' : '';
  return {
    start: Math.floor(field.bitStart / 8),
    end: Math.ceil(bitEnd(field, row) / 8),
    className: `mk-${fieldClass(field.name)}${hot}`,
  };
}

function fieldClass(name: string): string {
  if (name === 'payload') return 'payload';
  if (name === 'masking key') return 'key';
  if (name.includes('len')) return 'length';
  return name === 'MASK' ? 'length' : 'head';
}
