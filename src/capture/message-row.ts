import { PREVIEW_BYTES } from '../contract/frame.ts';
import type { MessageRow } from '../contract/message.ts';
import { previewBytes } from '../contract/preview.ts';
import { isoMicros } from '../contract/time.ts';
import type { CaptureReader } from './capture-reader.ts';
import { readable } from './inflate-cursor.ts';
import { MessageFlag, violationsOf } from './message-columns.ts';
import type { SessionMessages } from './session-messages.ts';
import type { TimeSlice } from './time-slice.ts';

/** The row of a message whose start is read, or inflated, for it. */
export async function readMessageRow(
  reader: CaptureReader,
  messages: SessionMessages,
  position: number,
  slice: TimeSlice,
): Promise<MessageRow> {
  const start = messages.frames.isCompressed(position)
    ? readable(await messages.inflate(position, PREVIEW_BYTES, slice))
    : messages.frames.start(position, PREVIEW_BYTES);
  return messageRow(reader, messages, position, start);
}

/** The row of a message; `start`: its first bytes, inflated, or null where they cannot be had. */
export function messageRow(
  reader: CaptureReader,
  messages: SessionMessages,
  position: number,
  start: Uint8Array | null,
): MessageRow {
  const { columns } = messages;
  const compressed = messages.frames.isCompressed(position);
  const wireLength = columns.wireLength(position);
  const payloadLength = compressed ? columns.inflatedLength(position) : wireLength;
  const firstFrame = columns.firstFrame(position);
  let timeUs = 0;
  reader.visitFrames(messages.id, firstFrame, 1, (row) => {
    if (row.index === firstFrame) timeUs = row.timeUs;
  });
  return {
    index: position,
    direction: messages.frames.direction(position),
    type: (columns.flags(position) & MessageFlag.Binary) !== 0 ? 'binary' : 'text',
    firstFrame,
    lastFrame: columns.lastFrame(position),
    frameCount: columns.frameCount(position),
    time: isoMicros(timeUs),
    compressed,
    complete: messages.isComplete(position),
    wireLength,
    payloadLength,
    violations: violationsOf(columns.flags(position)),
    preview: start === null ? null : previewBytes(start, payloadLength ?? Infinity),
  };
}
