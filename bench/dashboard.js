// @ts-check
// A dashboard without a screen: reads all of the live stream. node bench/dashboard.js SERVER_FOLDER URL TOKEN [stalled]
// It says {"event":"attached"}, and on each line of its standard input what it has seen so far. It checks that every
// frame row comes in order within its session, and that a row is missing only where a gap was told.
import { Buffer } from 'node:buffer';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const [serverFolder = '', url = '', token = '', manner] = process.argv.slice(2);
/** @type {typeof import('../src/contract/live.ts')} */
const { decodeLiveBatch } = await import(`${serverFolder}/contract/live.js`);
const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
socket.binaryType = 'arraybuffer';

/** Session number to the index that comes next. @type {Map<number, number>} */
const next = new Map();
const seen = { rows: 0, gaps: 0, missing: 0, missingUntold: 0, lastSeq: 0, bytes: 0 };
let gapTold = false;
let greeted = false;

socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', epoch: null, since: 0 })));
socket.on('message', (data, isBinary) => {
  if (isBinary) readBatch(/** @type {ArrayBuffer} */ (data));
  else readText(Buffer.from(/** @type {ArrayBuffer} */ (data)).toString());
});
socket.on('close', () => process.exit(0));
socket.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});

/** @param {string} text */
function readText(text) {
  seen.bytes += text.length;
  const message = JSON.parse(text);
  if (message.type === 'gap') {
    seen.gaps++;
    gapTold = true;
  }
  if (message.type === 'hello' && !greeted) {
    greeted = true;
    console.log('{"event":"attached"}');
    if (manner === 'stalled') socket.pause();
  }
}

/** @param {ArrayBuffer} buffer */
function readBatch(buffer) {
  const batch = decodeLiveBatch(buffer);
  seen.bytes += buffer.byteLength;
  for (let i = 0; i < batch.rowCount; i++) {
    const session = /** @type {number} */ (batch.session[i]);
    const index = /** @type {number} */ (batch.index[i]);
    const expected = next.get(session) ?? 0;
    // A row that comes again completes one that came before.
    if (index < expected) continue;
    if (index > expected) {
      seen.missing += index - expected;
      if (!gapTold) seen.missingUntold += index - expected;
    }
    next.set(session, index + 1);
    seen.rows++;
  }
  seen.lastSeq = batch.seq[batch.rowCount - 1] ?? seen.lastSeq;
}

createInterface({ input: process.stdin })
  .on('line', () => console.log(JSON.stringify({ event: 'seen', ...seen })))
  .on('close', () => process.exit(0));
