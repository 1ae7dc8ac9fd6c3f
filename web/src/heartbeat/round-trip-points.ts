import type uPlot from 'uplot';
import type { BeatSource } from './heartbeat.ts';

/** On both sides of a single point: uPlot would show the day after it. */
const ROOM_S = 5;

/** What is drawn as a line of its own. */
export const LINES = [
  { ofFrames: true, by: 'client' },
  { ofFrames: true, by: 'server' },
  { ofFrames: false, by: 'client' },
  { ofFrames: false, by: 'server' },
] as const;

/** When each answered ping was, in seconds; and for each of `LINES` its round trips, in milliseconds. */
export function roundTripPoints(sources: readonly Pick<BeatSource, 'kind' | 'by' | 'beats'>[]): uPlot.AlignedData {
  const answered = sources
    .flatMap(({ kind, by, beats }) => beats.map((beat) => ({ ...beat, by, ofFrames: kind === 'ping' })))
    .filter(({ rttMs }) => rttMs !== null)
    .sort((a, b) => a.timeUs - b.timeUs);
  const atS = answered.map(({ timeUs }) => timeUs / 1e6);
  const lines = LINES.map((line) =>
    answered.map(({ rttMs, by, ofFrames }) => (by === line.by && ofFrames === line.ofFrames ? rttMs : null)),
  );
  const first = atS[0];
  if (first === undefined || first !== atS.at(-1)) return [atS, ...lines];
  return [[first - ROOM_S, ...atS, first + ROOM_S], ...lines.map((line) => [null, ...line, null])];
}
