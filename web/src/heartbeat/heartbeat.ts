import { Opcode, type FrameRow } from '../../../src/contract/frame.ts';
import type { FrameSink } from '../capture/frame-walk.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';
import { OpenPings, type Beat } from './open-pings.ts';
import { engineIoOpening, pingSignOf, type BeatKind } from './ping-sign.ts';

export type Side = 'client' | 'server';

/** The pings of one kind by one side, in order. */
export interface BeatSource {
  readonly kind: BeatKind;
  readonly by: Side;
  readonly beats: Beat[];
  /** Older ones that were let go. */
  dropped: number;
}

/** Of a source so many are kept at most: beyond that the older half goes. */
const MAX_BEATS = 100_000;
/** Payloads of pings that may still be answered. */
const MAX_PAYLOADS = 1_000;

/** Pairs pings with the pongs of the other side: of frames, and of what protocols and applications use as such. */
export class Heartbeat implements FrameSink {
  readonly sources: BeatSource[] = [];
  /** Pongs that no ping asked for, by who sent them, with the first. */
  readonly unsolicited: Record<Side, { count: number; firstFrame: number }> = {
    client: { count: 0, firstFrame: -1 },
    server: { count: 0, firstFrame: -1 },
  };
  /** What an engine.io server has announced. */
  announced: { readonly intervalMs: number; readonly timeoutMs: number } | null = null;
  /** Frames taken so far. */
  frames = 0;
  readonly #subprotocol: string;
  #engineIo: boolean;
  readonly #open = new Map<string, OpenPings>();

  constructor(session: { readonly url: string; readonly subprotocol: string | null }) {
    this.#subprotocol = session.subprotocol ?? '';
    this.#engineIo = /[?&]EIO=\d/.test(session.url);
  }

  take(rows: readonly FrameRow[]): void {
    for (const row of rows) {
      this.frames += 1;
      if (row.complete) this.#read(row);
    }
  }

  /** What is said in a frame is known only at its end. */
  complete(row: FrameRow): void {
    this.#read(row);
  }

  #read(row: FrameRow): void {
    if (row.opcode === Opcode.Text && row.preview !== null) this.#listen(row.preview.data);
    const sign = pingSignOf(row, { subprotocol: this.#subprotocol, engineIo: this.#engineIo });
    if (sign === null) return;
    const { kind, role } = sign;
    const by = row.direction === 'client-to-server' ? 'client' : 'server';
    const timeUs = parseIsoMicros(row.time);
    // Pings with different payloads are told apart by these alone.
    const [payload, ids] = kind === 'ping' ? [sign.ids[0] ?? '', []] : ['', sign.ids];
    if (role === 'answers') {
      const asker = by === 'client' ? 'server' : 'client';
      const answered = this.#open.get(`${kind} ${asker} ${payload}`)?.answer(timeUs, ids) ?? false;
      if (!answered && kind === 'ping') this.#unasked(by, row.index);
    } else {
      const beat: Beat = { frame: row.index, timeUs, rttMs: null };
      this.#keep(kind, by, beat);
      if (role === 'asks') this.#openFor(`${kind} ${by} ${payload}`).ask(beat, ids);
    }
  }

  #listen(text: string): void {
    const opening = engineIoOpening(text);
    if (opening === null) return;
    this.announced = opening;
    this.#engineIo = true;
  }

  #keep(kind: BeatKind, by: Side, beat: Beat): void {
    let source = this.sources.find((one) => one.kind === kind && one.by === by);
    if (source === undefined) {
      source = { kind, by, beats: [], dropped: 0 };
      this.sources.push(source);
    }
    if (source.beats.length >= MAX_BEATS) source.dropped += source.beats.splice(0, MAX_BEATS / 2).length;
    source.beats.push(beat);
  }

  #openFor(key: string): OpenPings {
    const open = this.#open.get(key) ?? new OpenPings();
    // The one asked last stays longest.
    this.#open.delete(key);
    this.#open.set(key, open);
    if (this.#open.size > MAX_PAYLOADS) this.#open.delete(this.#open.keys().next().value ?? '');
    return open;
  }

  #unasked(by: Side, frame: number): void {
    const unsolicited = this.unsolicited[by];
    if (unsolicited.count === 0) unsolicited.firstFrame = frame;
    unsolicited.count += 1;
  }
}
