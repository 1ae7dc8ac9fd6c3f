import { describe, expect, it } from 'vitest';
import { createScriptKernel, READ_BYTES } from '../../src/proxy/frame-kernel.ts';
import { RecordGather } from '../../src/proxy/record-gather.ts';

const kernel = createScriptKernel();
const gather = new RecordGather(kernel);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Notes what it is handed. */
class Taker {
  readonly taken: string[] = [];
  receive(length: number): void {
    this.taken.push(Buffer.from(kernel.readArea.subarray(0, length)).toString('latin1'));
  }
}
function record(taker: Taker, text: string): void {
  gather.area.set(Buffer.from(text, 'latin1'));
  gather.take(taker, text.length);
}

describe('RecordGather', () => {
  it('hands the records of one turn on together, in order', async () => {
    const one = new Taker();
    for (const text of ['a', 'bc', 'def']) record(one, text);
    expect(one.taken).toEqual([]);
    await turn();
    expect(one.taken).toEqual(['abcdef']);
    record(one, 'later');
    await turn();
    expect(one.taken).toEqual(['abcdef', 'later']);
  });

  it("never mixes directions: another's record, or a wish, lets go what is there", async () => {
    const [one, other] = [new Taker(), new Taker()];
    record(one, 'one');
    record(other, 'other');
    expect([one.taken, other.taken]).toEqual([['one'], []]);
    gather.flush(one);
    expect(other.taken).toEqual([]);
    gather.flush(other);
    expect(other.taken).toEqual(['other']);
    await turn();
    expect([one.taken, other.taken]).toEqual([['one'], ['other']]);
  });

  it('hands on what would grow beyond a read', async () => {
    const one = new Taker();
    const whole = 'x'.repeat(gather.area.length);
    for (let i = 0; i < READ_BYTES / whole.length; i++) record(one, whole);
    expect(one.taken).toEqual([]);
    record(one, 'y');
    expect(one.taken.map(({ length }) => length)).toEqual([READ_BYTES]);
    await turn();
    expect(one.taken[1]).toBe('y');
  });

  it('takes what comes while it hands on', () => {
    const late = new Taker();
    const one = { receive: () => record(late, 'meanwhile') };
    gather.area.fill(0);
    gather.take(one, 1);
    gather.flush();
    gather.flush();
    expect(late.taken).toEqual(['meanwhile']);
  });
});
