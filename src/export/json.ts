import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessageStart } from '../capture/message-reader.ts';
import { Opcode, type FrameRow } from '../contract/frame.ts';
import type { MessageRow } from '../contract/message.ts';
import type { SessionDetail } from '../contract/session.ts';
import type { Exporter, ExportFilter, ExportJob } from './exporter.ts';
import { exportPayload, type ExportedPayload } from './payload.ts';
import { redactHandshake } from './redaction.ts';

/** What is written at once. One large payload can make a piece larger. */
const CHUNK_CHARS = 64 * 1024;
const PAGE_SESSIONS = 1_000;
const PAGE_FRAMES = 200;
const PAGE_MESSAGES = 50;
/** A compressed message up to this length is read together with its neighbours. */
const SHORT_BYTES = 64 * 1024;

/** CONTRACT: "JSON export, version 1", docs/capture.schema.json. */
export const jsonExporter: Exporter = {
  format: 'json',
  contentType: 'application/json; charset=utf-8',
  extension: 'json',
  async *write(job) {
    let chunk = '';
    for await (const piece of documentPieces(job)) {
      chunk += piece;
      if (chunk.length < CHUNK_CHARS) continue;
      yield chunk;
      chunk = '';
      await nextTurn();
    }
    yield chunk;
  },
};

async function* documentPieces(job: ExportJob): AsyncGenerator<string> {
  const ids = await sessionIds(job);
  const head = {
    format: 'frametap-capture',
    version: 1,
    exportedAt: job.exportedAt.toISOString(),
    generator: job.generator,
    evicted: job.reader.status().evicted,
    ...(job.filter !== undefined && { filter: job.filter.text }),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"sessions":[`;
  let first = true;
  for (const id of ids) {
    const session = job.reader.session(id);
    // Evicted or deleted since the export began.
    if (session === undefined) continue;
    yield first ? '\n' : ',\n';
    first = false;
    yield* sessionPieces(job, session);
  }
  yield '\n]}\n';
}

/** The sessions that are there now: those that open later are not in this document. */
async function sessionIds({ reader, wanted }: ExportJob): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ;) {
    const page = reader.sessions({ limit: PAGE_SESSIONS, ...(after !== undefined && { after }) });
    for (const session of page) if (wanted === undefined || (await wanted(session))) ids.push(session.id);
    after = page.at(-1)?.id;
    if (page.length < PAGE_SESSIONS) return ids;
  }
}

/** One session as it is now: what comes in while it is being written is left out. */
async function* sessionPieces(job: ExportJob, session: SessionDetail): AsyncGenerator<string> {
  const head = {
    ...session,
    handshake: job.withSecrets ? session.handshake : redactHandshake(session.handshake),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"frames":[`;
  yield* listOf(framesOf(job, session));
  yield '],"messages":[';
  yield* listOf(messagesOf(job, session));
  yield ']}';
}

async function* listOf(items: AsyncGenerator<object>): AsyncGenerator<string> {
  let separator = '\n';
  for await (const item of items) {
    yield separator + JSON.stringify(item);
    separator = ',\n';
  }
}

async function* framesOf(job: ExportJob, { id, frameCount }: SessionDetail): AsyncGenerator<object> {
  const { reader } = job;
  for await (const rows of job.filter?.of.needsFrames === true ? passing(job, job.filter, id) : pages(job, id)) {
    for (const row of rows) {
      if (row.index >= frameCount) return;
      const held = reader.frameBytes(id, row.index, 'payload');
      yield { ...row, preview: undefined, payload: framePayload(row, held) };
    }
  }
}

async function* pages({ reader }: ExportJob, id: string): AsyncGenerator<readonly FrameRow[]> {
  for (let from = 0; ;) {
    const rows = reader.frames(id, from, PAGE_FRAMES) ?? [];
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    from = last.index + 1;
    await nextTurn();
  }
}

/** The frames that pass a filter. */
async function* passing(
  { reader }: ExportJob,
  { search }: ExportFilter,
  id: string,
): AsyncGenerator<readonly FrameRow[]> {
  for await (const { indexes } of search(id)) {
    // Evicted since it was found: no longer there.
    yield indexes.flatMap((index) => (reader.frames(id, index, 1) ?? []).filter((row) => row.index === index));
  }
}

function framePayload(
  row: FrameRow,
  held: { readonly bytes: Uint8Array; readonly whole: boolean } | undefined,
): ExportedPayload | null {
  if (held === undefined || (held.bytes.length === 0 && !held.whole)) return null;
  const text = row.opcode !== Opcode.Binary && row.opcode !== Opcode.Close && !row.rsv1;
  return exportPayload(held.bytes, { text, truncated: !held.whole });
}

async function* messagesOf(job: ExportJob, { id, frameCount }: SessionDetail): AsyncGenerator<object> {
  // As for frames: what is about sessions alone has chosen this one, and may be true of it no longer.
  const filter = job.filter?.of.needsFrames === true ? job.filter.of : null;
  for (let from = 0; ;) {
    const page = await job.messages.search(id, filter, {
      from,
      limit: PAGE_MESSAGES,
      frames: { from: 0, to: frameCount },
    });
    if (page === undefined) return;
    const { rows } = page;
    // A message that is still growing may have frames that are not in this document.
    const whole = rows.filter(({ lastFrame }) => lastFrame < frameCount);
    const starts = await compressedStarts(job, id, whole);
    for (const row of whole) {
      const payload = startPayload(row, starts.get(row.firstFrame)) ?? (await messagePayload(job, id, row));
      yield { ...row, preview: undefined, payload };
    }
    if (page.next >= page.end) return;
    from = page.next;
    await nextTurn();
  }
}

/** Asks for a page of compressed messages at once, the first `SHORT_BYTES` of each: most are no longer. */
async function compressedStarts(
  { messages }: ExportJob,
  id: string,
  rows: readonly MessageRow[],
): Promise<ReadonlyMap<number, MessageStart>> {
  const frames = rows.filter(({ compressed }) => compressed).map(({ firstFrame }) => firstFrame);
  return frames.length === 0 ? new Map<number, MessageStart>() : messages.contents(id, frames, SHORT_BYTES);
}

function startPayload(row: MessageRow, start: MessageStart | undefined): ExportedPayload | undefined {
  if (start === undefined || start.bytes === null || start.bytes.length !== start.totalLength) return undefined;
  return exportPayload(start.bytes, { text: row.type === 'text', truncated: false });
}

async function messagePayload(
  { reader, messages }: ExportJob,
  id: string,
  row: MessageRow,
): Promise<ExportedPayload | null> {
  const text = row.type === 'text';
  if (!row.compressed && row.frameCount === 1) {
    const frame = reader.frameBytes(id, row.firstFrame, 'payload');
    if (frame?.whole === true) return exportPayload(frame.bytes, { text, truncated: false });
  }
  const content = await messages.content(id, row.index);
  if (content?.bytes == null) return null;
  return exportPayload(content.bytes, { text, truncated: content.bytes.length < content.totalLength });
}
