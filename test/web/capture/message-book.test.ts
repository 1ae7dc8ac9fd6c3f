import { expect, test, vi } from 'vitest';
import type { MessagePage } from '../../../src/contract/api.ts';
import type { MessageRow } from '../../../src/contract/message.ts';
import { MessageBook } from '../../../web/src/capture/message-book.ts';

/** The API with `count` messages. */
function pageOf(count: number, from: number, limit: number): MessagePage {
  const end = Math.min(count, from + limit);
  const indexes = Array.from({ length: Math.max(0, end - from) }, (_, at) => from + at);
  return { messages: indexes.map((index) => ({ index }) as MessageRow), next: end < count ? end : null };
}

test('messages whose fetch failed are looked for again, though no frame has come since', async () => {
  let down = true;
  const onError = vi.fn<(error: unknown) => void>();
  const book = new MessageBook({
    fetch: (from, limit) => (down ? Promise.reject(new Error('down')) : Promise.resolve(pageOf(3, from, limit))),
    onChange: () => undefined,
    onError,
  });
  book.grow(3);
  await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
  expect(book.end).toBe(0);
  down = false;
  await vi.waitFor(() => {
    book.grow(3);
    expect(book.end).toBe(3);
  });
});
