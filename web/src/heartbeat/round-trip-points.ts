import type uPlot from 'uplot';
import type { BeatSource } from './heartbeat.ts';

/** On both sides of a single point: uPlot would show the day after it. */
const ROOM_S = 5;

/** When each answered ping was, in seconds; the round trips of ping frames, and those of messages, in milliseconds. */
export function roundTripPoints(sources: readonly Pick<BeatSource, 'kind' | 'beats'>[]): uPlot.AlignedData {
  const answered = sources
    .flatMap(({ kind, beats }) => beats.map(({ timeUs, rttMs }) => ({ timeUs, rttMs, ofFrame: kind === 'ping' })))
    .filter(({ rttMs }) => rttMs !== null)
    .sort((a, b) => a.timeUs - b.timeUs);
  const atS = answered.map(({ timeUs }) => timeUs / 1e6);
  const ofFrames = answered.map(({ rttMs, ofFrame }) => (ofFrame ? rttMs : null));
  const ofMessages = answered.map(({ rttMs, ofFrame }) => (ofFrame ? null : rttMs));
  const first = atS[0];
  if (first === undefined || first !== atS.at(-1)) return [atS, ofFrames, ofMessages];
  return [
    [first - ROOM_S, ...atS, first + ROOM_S],
    [null, ...ofFrames, null],
    [null, ...ofMessages, null],
  ];
}
