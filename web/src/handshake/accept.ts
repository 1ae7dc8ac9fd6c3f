import { toBase64 } from '../detail/copy-as.ts';
import { hexText } from '../format/preview.ts';
import { sha1 } from './sha1.ts';

/** RFC 6455 §1.3 */
export const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface AcceptSteps {
  readonly joined: string;
  readonly digestHex: string;
  readonly accept: string;
}

/** The steps from a key to its Sec-WebSocket-Accept (RFC 6455 §4.2.2). */
export function computeAccept(key: string): AcceptSteps {
  const joined = key.trim() + WEBSOCKET_GUID;
  const digest = sha1(Uint8Array.from(joined, (character) => character.charCodeAt(0) & 0xff));
  return { joined, digestHex: hexText(digest), accept: toBase64(digest) };
}
