import type { CaptureReader } from '../capture/capture-reader.ts';
import type { MessageReader } from '../capture/message-reader.ts';
import type { Direction } from '../contract/frame.ts';
import type { MessageRow } from '../contract/message.ts';
import { MAX_DECODED_BYTES } from '../decode/decoder.ts';
import { FrametapError } from '../errors.ts';

export interface FrameContent {
  readonly bytes: Uint8Array;
  readonly whole: boolean;
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
    return { ...payload, opcode: frame.opcode, direction: frame.direction, message };
  }
  const content = await messages.content(id, message.index, MAX_DECODED_BYTES + 1);
  if (content == null) {
    throw new FrametapError('not-held', 'The message is no longer held, or cannot be inflated.');
  }
  const { bytes, totalLength, row } = content;
  return {
    bytes,
    whole: row.complete && bytes.length === totalLength,
    opcode: row.type === 'text' ? 1 : 2,
    direction: row.direction,
    message: row,
  };
}
