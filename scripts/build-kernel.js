// Assembles src/proxy/frame-kernel.wat and prints it as Base64, for src/proxy/frame-kernel.ts.
import { readFileSync } from 'node:fs';
import wabt from 'wabt';

const path = new URL('../src/proxy/frame-kernel.wat', import.meta.url);
const { parseWat } = await wabt();
const binary = parseWat('frame-kernel.wat', readFileSync(path, 'utf8'), { simd: true }).toBinary({}).buffer;
console.log(Buffer.from(binary).toString('base64'));
