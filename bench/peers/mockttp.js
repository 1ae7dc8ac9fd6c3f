// @ts-check
// node mockttp.js PORT TARGET_PORT
import { getLocal } from 'mockttp';

const [port, targetPort] = process.argv.slice(2).map(Number);
const server = getLocal();
await server.start(port);
await server.forAnyWebSocket().thenForwardTo(`ws://127.0.0.1:${targetPort}`);
// With the events that an inspector listens to, as Frametap is measured with its capture.
await server.on('websocket-message-received', () => undefined);
await server.on('websocket-message-sent', () => undefined);
console.log('{"event":"listening"}');
