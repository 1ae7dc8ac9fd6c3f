/** What `GET /api/status` answers, and what the live stream repeats as `status`. */
export interface CaptureStatus {
  /** Changes with every start and every clear: sequence numbers of different epochs do not compare. */
  readonly epoch: string;
  readonly seq: number;
  /** False while recording is stopped: traffic passes, nothing is kept. */
  readonly recording: boolean;
  readonly sessions: number;
  readonly openSessions: number;
  /** Frames seen since the start or the last clear, held or not. */
  readonly frames: number;
  readonly bytes: number;
  readonly memory: { readonly budgetBytes: number; readonly usedBytes: number };
  readonly evicted: Evicted;
}
export interface Evicted {
  readonly sessions: number;
  readonly frames: number;
  /** Payload bytes. */
  readonly bytes: number;
}
export interface Status extends CaptureStatus {
  readonly version: string;
  /** How this Frametap was called, without what came after: `frametap`, or `npm start --` in a checkout. */
  readonly command: string;
  readonly uptimeMs: number;
  readonly proxy: { readonly host: string; readonly port: number; readonly url: string };
  readonly dashboard: { readonly host: string; readonly port: number; readonly url: string };
}
