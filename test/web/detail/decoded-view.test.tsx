// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DecodedFrame } from '../../../src/contract/decoded.ts';
import { DecodedView } from '../../../web/src/detail/decoded-view.tsx';
import { render, type Rendered } from '../rendered.tsx';
import { toldCapture } from '../told-capture.ts';

let shown: Rendered | null = null;
afterEach(async () => {
  await shown?.remove();
  shown = null;
  vi.unstubAllGlobals();
});

const decoded = (value: string): DecodedFrame => ({
  name: 'text',
  score: 1,
  summary: `says ${value}`,
  value,
  candidates: [{ name: 'text', score: 1 }],
  asked: false,
  kept: null,
  decodedBytes: value.length,
  whole: true,
  growing: false,
});

describe('the decoded view', () => {
  test('says that it reads until the frame that is selected is decoded, and never shows another one for it', async () => {
    const answers: ((response: Response) => void)[] = [];
    vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => answers.push(resolve)));
    const answer = (response: Response): Promise<void> =>
      act(async () => {
        answers.shift()?.(response);
        await new Promise((resolve) => setTimeout(resolve, 0));
      });
    shown = await render(toldCapture([]).capture, <DecodedView session="1" frame={4} version={1} />);
    expect(shown.text()).toBe('Reading …');
    await answer(Response.json(decoded('four')));
    expect(shown.text()).toContain('says four');
    await shown.again(<DecodedView session="1" frame={5} version={1} />);
    expect(shown.text()).toBe('Reading …');
    await answer(Response.json({ error: { code: 'not-held', message: 'It is gone.' } }, { status: 410 }));
    expect(shown.text()).toBe('It is gone.');
    await shown.again(<DecodedView session="2" frame={5} version={1} />);
    expect(shown.text()).toBe('Reading …');
    await answer(Response.json(decoded('five')));
    expect(shown.text()).toContain('says five');
    await shown.again(<DecodedView session="2" frame={5} version={2} />);
    expect(shown.text()).toContain('says five');
  });
});
