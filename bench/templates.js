// @ts-check
// A cycle of compressed messages for the generator: 1 KiB of JSON each, deflated without context (RFC 7692).
import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { constants, deflateRawSync } from 'node:zlib';

const MESSAGES = 1024;

/** Writes [u32 little-endian length][bytes] for each message. @param {string} path */
export function writeTemplates(path) {
  const parts = [];
  for (let n = 0; n < MESSAGES; n++) {
    const rows = Array.from({ length: 12 }, (_, i) => ({
      id: n * 12 + i,
      name: `sensor-${i}`,
      value: (n * 37 + i * 11) % 997,
      on: true,
    }));
    const text = JSON.stringify({ type: 'update', number: n, rows });
    const padded = text.slice(0, 1024).padEnd(1024, ' ');
    const deflated = deflateRawSync(padded, { finishFlush: constants.Z_SYNC_FLUSH });
    // RFC 7692 §7.2.1: the four bytes 00 00 ff ff at the end are left out.
    const bytes = deflated.subarray(0, -4);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  }
  writeFileSync(path, Buffer.concat(parts));
}
