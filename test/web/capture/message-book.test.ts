import { expect, test, vi } from 'vitest';
import type { IndexPage, MessagePage } from '../../../src/contract/api.ts';
import { MessageBook, type MessageQuery } from '../../../web/src/capture/message-book.ts';
import { messageOrder } from '../../../web/src/messages/message-order.ts';
import { fakeMessage } from '../mock-capture.ts';

/** The API with messages up to `count`, those before `first` gone; of a filter every tenth passes. */
class FakeApi {
  count = 0;
  first = 0;
  growing: number[] = [];
  fault: Error | null = null;
  readonly asked: MessageQuery[] = [];

  readonly fetch = (query: MessageQuery): Promise<MessagePage> => {
    this.asked.push(query);
    if (this.fault !== null) return Promise.reject(this.fault);
    const { from = 0, to = Infinity, limit, filter, indexes, fromFrame = 0, toFrame = Infinity } = query;
    const messages = [];
    if (indexes !== undefined) {
      const held = indexes
        .split(',')
        .map(Number)
        .filter((index) => index >= this.first && index < this.count);
      const [messageCount, firstHeldMessage] = [this.count, this.first];
      const found = held.slice(0, limit).map((index) => fakeMessage(index, 0));
      const next = held[limit] ?? null;
      return Promise.resolve({ messages: found, next, messageCount, firstHeldMessage, growing: [], unreadable: 0 });
    }
    let at = Math.max(from, this.first);
    for (; at < Math.min(this.count, to) && messages.length < limit; at++) {
      const message = { ...fakeMessage(at, 0), firstFrame: at, complete: !this.growing.includes(at) };
      if (at < fromFrame || at >= toFrame || (filter !== undefined && filter !== '' && at % 10 !== 0)) continue;
      messages.push(message);
    }
    const { count: messageCount, first: firstHeldMessage, growing } = this;
    const next = at < Math.min(this.count, to) ? at : null;
    return Promise.resolve({ messages, next, messageCount, firstHeldMessage, growing, unreadable: 0 });
  };

  readonly fetchIndexes = async (query: Omit<MessageQuery, 'limit'>): Promise<IndexPage> => {
    const { messages, next, messageCount, growing, unreadable } = await this.fetch({ ...query, limit: 5000 });
    return { indexes: messages.map(({ index }) => index), next, end: messageCount, growing, unreadable };
  };
}

function setUp(count: number) {
  const api = new FakeApi();
  api.count = count;
  const onError = vi.fn<(error: unknown) => void>();
  const { fetch, fetchIndexes } = api;
  const book = new MessageBook({ fetch, fetchIndexes, onChange: () => undefined, onError });
  return { api, book, onError };
}
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('messages are found up to the end without reading all of them, and looked at by pages', async () => {
  const { api, book } = setUp(123_456);
  book.grow(1_000_000);
  await settled();
  expect(book.end).toBe(123_456);
  expect(api.asked).toHaveLength(2);
  expect(book.at(123_455)?.index).toBe(123_455);
  expect(book.at(50_000)).toBeUndefined();
  book.lookAt(50_000, 50_030);
  book.lookAt(50_001, 50_031);
  await settled();
  expect(book.at(50_029)?.index).toBe(50_029);
  expect(api.asked).toHaveLength(3);
});

test('of very many messages looked at, the page holds some thousand, and the one that is read', async () => {
  const { api, book } = setUp(100_000);
  book.grow(1);
  await settled();
  book.pin(3);
  for (let at = 0; at < 100_000; at += 1000) {
    book.lookAt(at, at + 40);
    await settled();
  }
  expect(book.at(3)?.index).toBe(3);
  expect(book.at(5)).toBeUndefined();
  expect(book.at(99_010)?.index).toBe(99_010);
  const before = api.asked.length;
  book.lookAt(0, 40);
  await settled();
  expect(book.at(5)?.index).toBe(5);
  expect(api.asked).toHaveLength(before + 1);
});

test('messages begin where the oldest is that has not been evicted', async () => {
  const { api, book } = setUp(500);
  book.grow(500, 0);
  await settled();
  expect([book.first, book.end]).toEqual([0, 500]);
  api.first = 320;
  book.grow(500, 320);
  await settled();
  expect([book.first, book.end]).toEqual([320, 500]);
});

test('messages whose fetch failed are looked for again, though no frame has come since', async () => {
  const { api, book, onError } = setUp(3);
  api.fault = new Error('down');
  book.grow(3);
  await settled();
  expect(onError).toHaveBeenCalledOnce();
  expect(book.end).toBe(0);
  api.fault = null;
  book.grow(3);
  await settled();
  expect(book.end).toBe(3);
  const before = api.asked.length;
  book.grow(3);
  await settled();
  expect(api.asked).toHaveLength(before);
});

test('a message that was still coming in is read again when it may have come, wherever it stands', async () => {
  const { api, book } = setUp(1000);
  api.growing = [7];
  book.grow(1000);
  book.lookAt(0, 40);
  await settled();
  expect(book.at(7)?.complete).toBe(false);
  api.growing = [];
  book.grow(1001);
  await settled();
  expect(book.at(7)?.complete).toBe(true);
});

test('of a choice those that pass are listed, and fetched by one request, whatever lies between', async () => {
  const { api, book, onError } = setUp(200_000);
  book.grow(1);
  await settled();
  book.choose({ filter: 'x', frames: { from: 100, to: 100_000 } }, onError);
  await vi.waitFor(() => expect(book.matches?.scanned).toBe(200_000));
  expect(book.matches?.length).toBe(9990);
  expect(book.matches?.indexAt(0)).toBe(100);
  // Of the first ones the rows have come as well.
  expect(book.at(100)?.index).toBe(100);
  expect(book.at(50_100)).toBeUndefined();
  const before = api.asked.length;
  book.lookAt(5000, 5040);
  await settled();
  expect(book.at(50_100)?.index).toBe(50_100);
  // What was looked at, and some more above and below.
  const indexes = Array.from({ length: 160 }, (_, i) => 49_500 + i * 10).join();
  expect(api.asked.slice(before)).toEqual([{ indexes, limit: 500 }]);
  book.choose(null, onError);
  expect(book.matches).toBeNull();
  // It is told with each answer that nothing is wrong.
  expect(onError.mock.calls.every(([error]) => error === null)).toBe(true);
});

test('of a choice of which the oldest are gone, what is in sight is fetched, once', async () => {
  const { api, book, onError } = setUp(400_000);
  book.grow(1);
  await settled();
  book.choose({ filter: 'x', frames: null }, onError);
  await vi.waitFor(() => expect(book.matches?.length).toBe(40_000));
  api.first = 150_000;
  book.grow(2, 150_000);
  await settled();
  expect(book.first).toBe(150_000);
  // What position 5,000 shows: 15,000 matches are gone.
  book.lookAt(5000, 5040);
  await settled();
  expect(book.at(200_000)?.index).toBe(200_000);
  // A row that the server no longer has is asked for once.
  api.first = 160_000;
  const before = api.asked.length;
  for (let look = 0; look < 20; look++) {
    book.lookAt(0, 1);
    await settled();
  }
  expect(api.asked.length - before).toBeLessThan(4);
});

test('a frame that is still coming in is asked for again though no frame comes after it', async () => {
  const { api, book } = setUp(3);
  api.growing = [2];
  book.grow(3);
  await settled();
  expect(book.at(2)?.complete).toBe(false);
  api.growing = [];
  book.grow(3);
  await settled();
  expect(book.at(2)?.complete).toBe(true);
});

test('while the view is paused nothing is listed that came afterwards, also in a list that is opened then', async () => {
  const { api, book, onError } = setUp(1000);
  book.grow(1);
  await settled();
  book.hold(1000);
  api.count = 1500;
  book.lookAt(0, 40);
  book.choose({ filter: 'x', frames: null }, onError);
  await settled();
  expect([book.end, messageOrder(book).count]).toEqual([1000, 100]);
  const opened = new MessageBook({
    fetch: api.fetch,
    fetchIndexes: api.fetchIndexes,
    onChange: () => undefined,
    onError,
  });
  opened.hold(1000);
  await settled();
  expect(opened.end).toBe(1000);
  opened.hold(null);
  book.hold(null);
  book.grow(2);
  await settled();
  expect([opened.end, book.end]).toEqual([1500, 1500]);
});

test('what is wrong with a choice is told to who chose', async () => {
  const { api, book, onError } = setUp(10);
  book.grow(1);
  await settled();
  api.fault = new Error('expected a field');
  const onFault = vi.fn();
  book.choose({ filter: 'hots:x', frames: null }, onFault);
  await settled();
  expect(onFault).toHaveBeenCalledOnce();
  expect(onError).not.toHaveBeenCalled();
});
