import type { CaptureReader } from '../capture/capture-reader.ts';
import type { MessageContent, MessageReader, NoContent } from '../capture/message-reader.ts';
import type { Direction } from '../contract/frame.ts';
import type { MessageRow } from '../contract/message.ts';
import { MAX_DECODED_BYTES } from '../decode/decoder.ts';
import { FrametapError, type ErrorCode } from '../errors.ts';

export interface FrameContent {
  readonly bytes: Uint8Array;
  readonly whole: boolean;
  /** More of it may come. */
  readonly growing: boolean;
  readonly opcode: number;
  readonly direction: Direction;
  /** The message it is of; undefined for a control frame. */
  readonly message: MessageRow | undefined;
}

/** The whole message of a data frame, inflated; of other frames the payload. */
export async function frameContent(
  { reader, messages }: { readonly reader: CaptureReader; readonly messages: MessageReader },
  id: string,
  index: number,
): Promise<FrameContent> {
  const frame = reader.frames(id, index, 1)?.[0];
  if (frame?.index !== index) throw new FrametapError('not-found', `There is no frame ${index} in session ${id}.`);
  const message = await messages.messageOfFrame(id, index);
  if (message === undefined) {
    const payload = reader.frameBytes(id, index, 'payload');
    if (payload === undefined || (payload.bytes.length === 0 && !payload.whole)) throw new FrametapError('not-held');
    const { opcode, direction } = frame;
    return { ...payload, growing: isGrowing(reader, id, frame), opcode, direction, message };
  }
  const { bytes, totalLength, growing, row } = await messageContent(messages, id, message.index, MAX_DECODED_BYTES + 1);
  return {
    bytes,
    whole: row.complete && bytes.length === totalLength,
    growing,
    opcode: row.type === 'text' ? 1 : 2,
    direction: row.direction,
    message: row,
  };
}

/** The content of a message, which is nothing while a compressed one has not come whole; or an error says why not. */
export async function messageContent(
  messages: MessageReader,
  id: string,
  index: number,
  maxBytes?: number,
): Promise<MessageContent> {
  const content = await messages.content(id, index, maxBytes);
  if (content === undefined) throw new FrametapError('not-found', `There is no message ${index} in session ${id}.`);
  if (content.bytes !== null) return content;
  if (content.why !== 'pending') throw new FrametapError(...WHY_NOT[content.why]);
  const row = (await messages.messages(id, index, 1))?.[0];
  if (row?.index !== index) throw new FrametapError(...WHY_NOT['not-held']);
  return { row: { ...row, complete: false }, bytes: new Uint8Array(0), totalLength: 0, growing: content.growing };
}

/** More of a frame may come. */
export function isGrowing(reader: CaptureReader, id: string, frame: { readonly complete: boolean }): boolean {
  return !frame.complete && reader.session(id)?.state === 'open';
}

const WHY_NOT: Readonly<Record<Exclude<NoContent['why'], 'pending'>, readonly [ErrorCode, string]>> = {
  'not-held': ['not-held', 'The message is no longer held.'],
  'needs-history': [
    'not-held',
    'The message cannot be inflated: it builds on earlier messages, which were evicted or not recorded.',
  ],
  invalid: ['not-inflatable', 'The message cannot be inflated: this is not what DEFLATE data looks like.'],
};
