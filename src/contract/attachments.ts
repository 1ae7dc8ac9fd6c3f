/**
 * `GET /api/sessions/:id/frames/:index/attachments`: the binary messages that follow a Socket.IO packet and belong to
 * it, asked of the packet or of one of them.
 */
export interface FrameAttachments {
  /** The packet's first frame and its message; null where the frame is neither such a packet nor an attachment. */
  readonly packet: MessagePlace | null;
  /** How many the packet says that it has. */
  readonly count: number;
  /** Which of them the frame itself is, from 0; null for the packet. */
  readonly own: number | null;
  /** Those that have come, in their order, and of many the first. */
  readonly found: readonly MessagePlace[];
}

/** A message, and where it starts. */
export interface MessagePlace {
  readonly frame: number;
  readonly message: number;
}
