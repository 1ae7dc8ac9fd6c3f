import type { WebSocket } from 'ws';
import type { CaptureReader } from '../capture/capture-reader.ts';
import type { CaptureStatus } from '../contract/status.ts';
import { Subscriber } from './live-subscriber.ts';
import { advance, statusMessage, Tick } from './live-tick.ts';

/** 20 batches a second at most. */
const TICK_INTERVAL_MS = 50;
/** What the stream may take of the process: a tick that worked n ms is followed by the next after 10 n at the earliest. */
const REST_RATIO = 10;
/** The same while a dashboard that has come waits for its sessions: 20,000 are there in a second or two. */
const CATCH_UP_RATIO = 2;
const STATUS_INTERVAL_MS = 1_000;
/** Dashboards that do not answer our close are cut off after so long. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface LiveOptions {
  readonly reader: CaptureReader;
  /** A tick failed: a fault of ours, which ends no dashboard. */
  readonly onFault: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  readonly keepaliveMs?: number;
  /** A dashboard that has read nothing, or answered no ping, for so long is let go. */
  readonly stallMs?: number;
}

export interface Live {
  /** Takes a WebSocket over. */
  add(socket: WebSocket): void;
  /** Something changed that may not be in the log: the recording, a deletion. */
  poke(): void;
  /** Closes every dashboard with 1001, and takes no more; done when all are gone, which takes a second at most. */
  stop(): Promise<void>;
}

/** Sends the log to the dashboards: each from where it stands, all from the same bytes where they stand together. */
export function createLive(options: LiveOptions): Live {
  const { reader, onFault, now = () => performance.now(), keepaliveMs = 15_000, stallMs = 60_000 } = options;
  const subscribers = new Set<Subscriber>();
  let timer: NodeJS.Timeout | undefined;
  let statusTimer: NodeJS.Timeout | undefined;
  let ticking = false;
  let pokedWhileTicking = false;
  let stopped = false;
  let earliestTickMs = -Infinity;
  let statusText = '';
  let statusDueMs = -Infinity;
  let onEmpty: (() => void) | undefined;

  const schedule = (): void => {
    if (ticking) pokedWhileTicking = true;
    else if (timer === undefined && !stopped && subscribers.size > 0) {
      timer = setTimeout(() => void round(), Math.max(1, Math.ceil(earliestTickMs - now())));
    }
  };
  const stopListening = reader.subscribe(schedule);
  const keepalive = setInterval(() => {
    for (const subscriber of subscribers) subscriber.checkAlive(now(), stallMs);
  }, keepaliveMs);
  keepalive.unref();

  async function round(): Promise<void> {
    timer = undefined;
    ticking = true;
    pokedWhileTicking = false;
    const startMs = now();
    const tick = new Tick(reader, now);
    try {
      for (const subscriber of subscribers) {
        if (!((await advance(subscriber, tick)) && (await tick.pause()))) {
          tick.behind = true;
          break;
        }
      }
      sendStatus(tick.head);
    } catch (error) {
      onFault(error);
    }
    tick.end();
    ticking = false;
    earliestTickMs =
      startMs + Math.max(TICK_INTERVAL_MS, tick.workMs * (tick.catchingUp ? CATCH_UP_RATIO : REST_RATIO));
    if (pokedWhileTicking || tick.behind) schedule();
  }

  function sendStatus(head: CaptureStatus): void {
    const waitMs = statusDueMs - now();
    if (waitMs > 0) {
      statusTimer ??= setTimeout(() => {
        statusTimer = undefined;
        schedule();
      }, waitMs);
      return;
    }
    const text = statusMessage(head);
    if (text !== statusText) statusDueMs = now() + STATUS_INTERVAL_MS;
    statusText = text;
    const utf8 = Buffer.from(statusText);
    for (const subscriber of subscribers) {
      if (subscriber.epoch !== head.epoch || subscriber.status === statusText || subscriber.blocked) continue;
      subscriber.status = statusText;
      subscriber.sendText(utf8);
    }
  }

  return {
    add(socket) {
      if (stopped) {
        socket.close(1001);
        return;
      }
      const subscriber = new Subscriber(socket, { now, onWake: schedule });
      subscribers.add(subscriber);
      socket.on('close', () => {
        subscribers.delete(subscriber);
        if (subscribers.size === 0) onEmpty?.();
      });
    },
    poke: schedule,
    stop() {
      stopped = true;
      stopListening();
      clearInterval(keepalive);
      clearTimeout(timer);
      clearTimeout(statusTimer);
      return new Promise((resolve) => {
        const cutOff = setTimeout(() => {
          for (const subscriber of subscribers) subscriber.terminate();
        }, CLOSE_TIMEOUT_MS);
        onEmpty = () => {
          clearTimeout(cutOff);
          resolve();
        };
        for (const subscriber of subscribers) subscriber.close(1001);
        if (subscribers.size === 0) onEmpty();
      });
    },
  };
}
