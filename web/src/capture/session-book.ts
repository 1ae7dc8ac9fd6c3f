import type { SessionSummary } from '../../../src/contract/session.ts';

/** Seconds that one bar of the spark stands for, and how many bars make its minute. */
export const SPARK_STEP_MS = 2000;
export const SPARK_STEPS = 30;

interface Spark {
  readonly counts: Uint32Array;
  /** The step (time over SPARK_STEP_MS) that the newest bar stands for. */
  step: number;
}

/** All sessions, in the order in which they began. Held outside React; the list reads what it shows. */
export class SessionBook {
  readonly #sessions = new Map<string, SessionSummary>();
  readonly #sparks = new Map<string, Spark>();
  #order: string[] = [];
  #unsorted = false;

  get size(): number {
    return this.#sessions.size;
  }

  /** Ids, oldest first. The array is replaced, never changed, when the set of sessions changes. */
  get ids(): readonly string[] {
    if (this.#unsorted) {
      this.#order = [...this.#order].sort((a, b) => Number(a) - Number(b));
      this.#unsorted = false;
    }
    return this.#order;
  }

  get(id: string): SessionSummary | undefined {
    return this.#sessions.get(id);
  }

  apply(sessions: readonly SessionSummary[], nowMs: number): void {
    const added: string[] = [];
    for (const session of sessions) {
      const before = this.#sessions.get(session.id);
      if (before === undefined) added.push(session.id);
      else if (before.seq > session.seq) continue;
      else if (session.frameCount > before.frameCount) {
        this.#count(session.id, session.frameCount - before.frameCount, nowMs);
      }
      this.#sessions.set(session.id, session);
    }
    if (added.length === 0) return;
    this.#order = this.#order.concat(added);
    this.#unsorted = true;
  }

  remove(ids: readonly string[]): void {
    const gone = new Set(ids);
    for (const id of gone) {
      this.#sessions.delete(id);
      this.#sparks.delete(id);
    }
    this.#order = this.#order.filter((id) => !gone.has(id));
  }

  clear(): void {
    this.#sessions.clear();
    this.#sparks.clear();
    this.#order = [];
  }

  /** Frames in each step of the last minute, oldest first; null where nothing came. */
  spark(id: string, nowMs: number): readonly number[] | null {
    const spark = this.#sparks.get(id);
    if (spark === undefined) return null;
    const step = Math.floor(nowMs / SPARK_STEP_MS);
    if (step - spark.step >= SPARK_STEPS) {
      this.#sparks.delete(id);
      return null;
    }
    return Array.from({ length: SPARK_STEPS }, (_, bar) => {
      const at = step - SPARK_STEPS + 1 + bar;
      return at > spark.step || at <= spark.step - SPARK_STEPS ? 0 : (spark.counts[at % SPARK_STEPS] ?? 0);
    });
  }

  #count(id: string, frames: number, nowMs: number): void {
    const step = Math.floor(nowMs / SPARK_STEP_MS);
    let spark = this.#sparks.get(id);
    if (spark === undefined) {
      spark = { counts: new Uint32Array(SPARK_STEPS), step };
      this.#sparks.set(id, spark);
    }
    for (let skipped = Math.max(spark.step + 1, step - SPARK_STEPS + 1); skipped <= step; skipped += 1) {
      spark.counts[skipped % SPARK_STEPS] = 0;
    }
    spark.step = Math.max(spark.step, step);
    const bar = step % SPARK_STEPS;
    spark.counts[bar] = (spark.counts[bar] ?? 0) + frames;
  }
}
