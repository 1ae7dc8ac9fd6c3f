import { expect, test } from 'vitest';
import { isOfRun, readPlace, writePlace, type Place } from '../../web/src/place.ts';

const PLACE: Place = {
  session: '12',
  tab: 'messages',
  frame: 1234,
  message: 0,
  detailTab: 'bits',
  filterText: 'url:/chat and "a&b=c#d"',
  find: '/line \\d+/i',
  direction: 'up',
  kind: 'data',
  range: { from: 120, to: 480 },
  follow: false,
  followMessages: true,
  framesTop: 1200,
  messagesTop: null,
};
const EPOCH = '0f8fad5b-d9cb-469f-a165-70867728950e';

test('a place is written into the address and read from it again', () => {
  const { run, ...place } = readPlace(`#${writePlace(PLACE, EPOCH)}`);
  expect(place).toEqual(PLACE);
  expect(isOfRun({ ...place, run }, EPOCH)).toBe(true);
  expect(isOfRun({ ...place, run }, '7c9e6679-7425-40de-944b-e07fc1f90ae7')).toBe(false);
});

test('a list is followed unless something in it is selected, and also then if the address says so', () => {
  const written = (place: Partial<Place>) =>
    readPlace(writePlace({ ...readPlace(''), framesTop: 12.5, ...place }, EPOCH));
  expect(readPlace('')).toMatchObject({ follow: true, framesTop: null });
  expect(written({ frame: 3, follow: false })).toMatchObject({ follow: false, framesTop: 12 });
  expect(written({ frame: 3, follow: true })).toMatchObject({ follow: true, framesTop: null });
  expect(written({ frame: null, follow: false })).toMatchObject({ follow: false, framesTop: 12 });
  expect(readPlace('frame=3')).toMatchObject({ follow: false, framesTop: null, followMessages: true });
});

test('where nothing is chosen the address says nothing', () => {
  expect(writePlace(readPlace(''), null)).toBe('');
  expect(isOfRun(readPlace(''), EPOCH)).toBe(false);
});

test('an address that nobody wrote chooses nothing', () => {
  expect(readPlace('#session=../x&tab=__proto__&frame=-1&message=1e9&view=&direction=x&kind=%00&run')).toEqual({
    ...readPlace(''),
    run: '',
  });
});
