import { DEMO_CLOSES, DEMO_SOCKETS } from './demo-sockets.ts';

/** The demo's one page. It needs nothing but itself. */
export function demoPage(urls: { readonly wsUrl: string; readonly wssUrl: string }): string {
  const cards = DEMO_SOCKETS.map(
    ({ path, title, about, subprotocol, oneWay }) => `
      <article class="card" data-path="${path}" data-subprotocol="${subprotocol ?? ''}">
        <header><h2>${title}</h2><span class="state" role="status">closed</span></header>
        <p>${about}</p>
        <output>${path === '/pings' ? 'A page is not told of pings: look in the dashboard.' : ''}</output>
        <footer>
          ${oneWay === true ? '' : '<button data-do="send">Send</button>'}
          <button data-do="toggle">Open</button>
          <code>${path}</code>
        </footer>
      </article>`,
  ).join('');
  const ends = [...DEMO_CLOSES.map(([how, about]) => [`/close/${how}`, how, about] as const), REFUSED]
    .map(([path, name, about]) => `<li><button data-end="${path}">${name}</button><span>${about}</span></li>`)
    .join('');
  const settings = JSON.stringify({ ws: urls.wsUrl, wss: urls.wssUrl }).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Frametap demo</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
  <header class="top">
    <div>
      <h1>Frametap demo</h1>
      <p>Everything on this page is WebSocket traffic. Look at it in the dashboard while it passes.</p>
    </div>
    <fieldset>
      <legend>New connections use</legend>
      <label><input type="radio" name="scheme" value="ws"> ws</label>
      <label><input type="radio" name="scheme" value="wss"> wss</label>
    </fieldset>
  </header>
  <section class="cards" aria-label="Connections">${cards}</section>
  <div class="below">
    <section><h2>Ways to end</h2><ul class="ends">${ends}</ul></section>
    <section><h2>What happened</h2><ol id="log" aria-live="off"></ol></section>
  </div>
</main>
<script>const SERVERS = ${settings};
${SCRIPT}</script>
</body>
</html>
`;
}

const REFUSED = ['/forbidden', '403', 'the handshake is refused'] as const;

const STYLE = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f6f7f9, #14161a); --card: light-dark(#fff, #1c1f25); --line: light-dark(#dfe3e8, #2e333c);
  --text: light-dark(#1d2127, #e6e9ee); --soft: light-dark(#5b6470, #9aa4b2); --accent: light-dark(#2457c5, #8ab0ff);
  --good: light-dark(#1a7f4b, #5fd39a); --wait: light-dark(#8a6100, #e5b84d);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 48px; }
h1 { margin: 0; font-size: 24px; letter-spacing: -.01em; } h2 { margin: 0; font-size: 15px; font-weight: 600; }
p { margin: 4px 0 0; color: var(--soft); }
.top { display: flex; gap: 24px; justify-content: space-between; align-items: end; flex-wrap: wrap; margin-bottom: 24px; }
fieldset { border: 1px solid var(--line); border-radius: 8px; padding: 4px 14px 8px; margin: 0; display: flex; gap: 16px; }
legend { color: var(--soft); font-size: 12px; padding: 0 4px; } input { accent-color: var(--accent); }
.cards { display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(310px, 1fr)); }
.card, .below section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px; }
.card header { display: flex; justify-content: space-between; align-items: center; }
.card p { font-size: 13px; min-height: 40px; }
.state { font-size: 12px; color: var(--soft); display: inline-flex; gap: 6px; align-items: center; }
.state::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: currentColor; }
[data-state=open] .state { color: var(--good); } [data-state=connecting] .state { color: var(--wait); }
output { display: block; height: 46px; margin: 10px 0 12px; padding: 0 10px; border-radius: 6px; overflow: hidden;
  border: solid var(--page); border-width: 5px 0; background: var(--page); font: 12px/18px ui-monospace, monospace; overflow-wrap: anywhere; }
footer { display: flex; gap: 8px; align-items: center; } footer code { margin-left: auto; color: var(--soft); font-size: 12px; }
button { font: inherit; font-size: 13px; padding: 4px 12px; border-radius: 7px; border: 1px solid var(--line);
  background: transparent; color: inherit; cursor: pointer; }
button:hover { border-color: var(--accent); color: var(--accent); } button:disabled { opacity: .45; cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.below { display: grid; gap: 16px; grid-template-columns: minmax(310px, 1fr) 2fr; margin-top: 16px; }
.ends { list-style: none; margin: 12px 0 0; padding: 0; display: grid; gap: 8px; font-size: 13px; }
.ends li { display: flex; gap: 12px; align-items: center; color: var(--soft); }
.ends button { min-width: 68px; color: var(--text); font-family: ui-monospace, monospace; }
#log { margin: 12px 0 0; padding: 0; list-style: none; height: 270px; overflow: auto; font: 12px/20px ui-monospace, monospace; }
#log li { overflow-wrap: anywhere; } #log time { color: var(--soft); margin-right: 10px; }
@media (max-width: 760px) { .below { grid-template-columns: 1fr; } }
`;

/** Runs in the page. A mixed page (ws on https) is not allowed by browsers: there it is wss only. */
const SCRIPT = `
const log = document.getElementById('log');
const secure = location.protocol === 'https:';
for (const radio of document.querySelectorAll('[name=scheme]')) {
  radio.checked = radio.value === (secure ? 'wss' : 'ws');
  radio.disabled = secure && radio.value === 'ws';
}
const base = () => SERVERS[document.querySelector('[name=scheme]:checked').value];
function note(text) {
  const line = document.createElement('li');
  const time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString('en-GB');
  line.append(time, text);
  log.prepend(line);
  while (log.children.length > 200) log.lastChild.remove();
}
function describe(data) {
  if (typeof data === 'string') return data.length > 160 ? data.slice(0, 160) + ' … ' + data.length + ' characters' : data;
  return data.byteLength + ' bytes: ' + Array.from(new Uint8Array(data, 0, Math.min(16, data.byteLength)), (b) => b.toString(16).padStart(2, '0')).join(' ');
}
const LINES = ['Hello from the page.', '{"type":"note","text":"This is JSON."}', 'Grüße aus dem Browser 👋'];
let said = 0;
function open(card) {
  const { path, subprotocol } = card.dataset;
  const show = (state) => {
    card.dataset.state = state;
    card.querySelector('.state').textContent = state;
    const button = card.querySelector('[data-do=send]');
    if (button) button.disabled = state !== 'open';
    card.querySelector('[data-do=toggle]').textContent = state === 'closed' ? 'Open' : 'Close';
  };
  const socket = new WebSocket(base() + path, subprotocol ? [subprotocol] : []);
  socket.binaryType = 'arraybuffer';
  card.socket = socket;
  show('connecting');
  socket.onopen = () => { show('open'); note(path + ' is open' + (socket.protocol ? ' with ' + socket.protocol : '')); send(card); };
  socket.onmessage = ({ data }) => { card.querySelector('output').textContent = describe(data); };
  socket.onclose = ({ code, reason }) => { show('closed'); note(path + ' closed with ' + code + (reason ? ' "' + reason + '"' : '')); };
}
function send(card) {
  const { path } = card.dataset;
  if (card.socket.readyState !== WebSocket.OPEN || !card.querySelector('[data-do=send]')) return;
  card.socket.send(path === '/binary' ? crypto.getRandomValues(new Uint8Array(24)) : LINES[said++ % LINES.length]);
}
function end(path) {
  const socket = new WebSocket(base() + path);
  socket.onclose = ({ code, reason, wasClean }) =>
    note(path + ' ended with ' + code + (reason ? ' "' + reason + '"' : '') + (wasClean ? '' : ', not clean'));
}
const cards = [...document.querySelectorAll('.card')];
for (const card of cards) {
  card.addEventListener('click', ({ target }) => {
    if (target.dataset.do === 'send') send(card);
    if (target.dataset.do === 'toggle') card.dataset.state === 'closed' ? open(card) : card.socket.close(1000, 'closed by the user');
  });
  open(card);
}
const ends = [...document.querySelectorAll('[data-end]')];
for (const button of ends) button.addEventListener('click', () => end(button.dataset.end));
ends.forEach((button, i) => setTimeout(() => end(button.dataset.end), 600 * (i + 1)));
setInterval(() => { for (const card of cards) if (card.dataset.path === '/chat' || card.dataset.path === '/binary') send(card); }, 2500);
`;
