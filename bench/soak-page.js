// @ts-check
// The page of a soak: charts as inline SVG, no script, nothing from elsewhere.

const WIDTH = 900;
const HEIGHT = 180;
const LEFT = 70;
const BOTTOM = 24;

/** @param {string} text */
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} color
 * @property {readonly number[]} values one for each time
 */

/** @param {{ title: string, unit: string, seconds: readonly number[], series: readonly Series[], limit?: number }} chart */
function drawChart({ title, unit, seconds, series, limit }) {
  const highest = Math.max(1, limit ?? 0, ...series.flatMap(({ values }) => values)) * 1.05;
  const end = Math.max(1, seconds.at(-1) ?? 1);
  const x = (/** @type {number} */ at) => (LEFT + (at / end) * (WIDTH - LEFT - 10)).toFixed(1);
  const y = (/** @type {number} */ value) => (HEIGHT - BOTTOM - (value / highest) * (HEIGHT - BOTTOM - 10)).toFixed(1);
  const lines = series.map(({ values, color }) => {
    const points = values.map((value, i) => `${x(seconds[i] ?? 0)},${y(value)}`).join(' ');
    return `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${points}"/>`;
  });
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const value = (highest / 1.05) * part;
    const text = value >= 10 ? value.toFixed(0) : value.toFixed(1);
    return `<line x1="${LEFT}" x2="${WIDTH - 10}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/><text x="${LEFT - 6}" y="${y(value)}" text-anchor="end" dominant-baseline="middle">${text}</text>`;
  });
  const times = [0, 0.25, 0.5, 0.75, 1].map(
    (part) => `<text x="${x(end * part)}" y="${HEIGHT - 6}" text-anchor="middle">${(end * part).toFixed(0)} s</text>`,
  );
  const bound =
    limit === undefined
      ? ''
      : `<line x1="${LEFT}" x2="${WIDTH - 10}" y1="${y(limit)}" y2="${y(limit)}" stroke="#c00" stroke-dasharray="6 4"/>`;
  const legend = series.map(({ name, color }) => `<b style="color:${color}">${escape(name)}</b>`).join(' · ');
  return `<h2>${escape(title)} <small>${escape(unit)} · ${legend}</small></h2>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">${marks.join('')}${times.join('')}${bound}${lines.join('')}</svg>`;
}

/** @param {{ title: string, facts: readonly string[], charts: readonly Parameters<typeof drawChart>[0][] }} page */
export function drawPage({ title, facts, charts }) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:${WIDTH}px;margin:2rem auto;padding:0 1rem;color:#222}
h2{font-size:1rem;margin:1.5rem 0 .25rem}small{font-weight:normal}svg{width:100%;font-size:11px}text{fill:#555}</style></head>
<body><h1>${escape(title)}</h1><ul>${facts.map((fact) => `<li>${escape(fact)}</li>`).join('')}</ul>
${charts.map(drawChart).join('\n')}</body></html>
`;
}
