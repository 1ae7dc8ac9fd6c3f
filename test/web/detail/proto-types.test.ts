import { expect, test } from 'vitest';
import { protoTypes } from '../../../web/src/detail/proto-types.ts';

const files = [
  { name: 'b.proto', bytes: 1, messages: ['shop.Order10', 'shop.Order2', 'shop.v1.Trade'] },
  { name: 'a.proto', bytes: 1, messages: ['chat.Line'] },
];
const namesOf = (words?: string): string[] => protoTypes(files, words).map(({ type }) => type);

test('types of all files are in the order of their names, numbers by their size', () => {
  expect(protoTypes(files)[0]).toEqual({ type: 'chat.Line', file: 'a.proto' });
  expect(namesOf()).toEqual(['chat.Line', 'shop.Order2', 'shop.Order10', 'shop.v1.Trade']);
});

test('words find the types that have every one of them in their name', () => {
  expect(namesOf('order')).toEqual(['shop.Order2', 'shop.Order10']);
  expect(namesOf(' trade  SHOP ')).toEqual(['shop.v1.Trade']);
  expect(namesOf('shop line')).toEqual([]);
});
