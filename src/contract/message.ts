import type { Direction, Preview } from './frame.ts';
import type { MessageViolationCode } from './violations.ts';

/** One message: what the frames meant together (RFC 6455 §5.4), inflated where compressed (RFC 7692). */
export interface MessageRow {
  /** Number within the session and among the messages that can still be told apart, by first frame. */
  readonly index: number;
  readonly direction: Direction;
  readonly type: 'text' | 'binary';
  readonly firstFrame: number;
  readonly lastFrame: number;
  /** Number of frames it came in. */
  readonly frameCount: number;
  readonly time: string;
  readonly compressed: boolean;
  /** False while the last fragment has not come. */
  readonly complete: boolean;
  /** Bytes on the wire: the sum of its frames' payloads. */
  readonly wireLength: number;
  /** Bytes of the message itself; for a compressed one null where it could not be inflated. */
  readonly payloadLength: number | null;
  readonly violations: readonly MessageViolationCode[];
  readonly preview: Preview | null;
}
