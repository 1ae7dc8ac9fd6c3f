// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, expect, test } from 'vitest';
import { JsonView } from '../../../web/src/detail/json-view.tsx';
import { setUi } from '../../../web/src/state.ts';
import { render, type Rendered } from '../rendered.tsx';
import { toldCapture } from '../told-capture.ts';

let shown: Rendered | null = null;
afterEach(async () => {
  await shown?.remove();
  setUi({ jsonSearch: '' });
});

const press = (key: string): Promise<void> =>
  act(() => {
    shown?.node.querySelector('[role=tree]')?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    return Promise.resolve();
  });
const path = (): string => shown?.node.querySelector('.json-path')?.textContent ?? '';

test('what is selected in one text is not in the next of the same length; what is searched for stays', async () => {
  shown = await render(toldCapture([]).capture, <JsonView text='{"a":1,"b":2}' />);
  await press('End');
  expect(path()).toBe('$.b');
  await act(() => {
    setUi({ jsonSearch: 'price' });
    return Promise.resolve();
  });
  expect(shown.text()).toContain('0 found');
  await shown.again(<JsonView text='{"price":100}' />);
  expect(path()).toBe('$');
  expect(shown.node.querySelector('input')?.value).toBe('price');
  expect(shown.text()).toContain('1 found');
});

test('a text that was cut is not called wrong for it, and one that is wrong is', async () => {
  shown = await render(toldCapture([]).capture, <JsonView cut text='{"a":1,"b":"the res' />);
  expect(shown.text()).toContain('Shown up to character 11: the rest is cut.');
  await shown.again(<JsonView text='{"a":1,"b":"the res' />);
  expect(shown.text()).toContain('From character 11 on this is not JSON');
});
