import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { INamespace } from 'protobufjs';
import type { ProtoText } from '../../contract/protos.ts';
import { problemIn, ProtoError } from './proto-error.ts';

/** A .proto file that was read, with its types as protobufjs describes them: names in them are not looked up yet. */
export interface ParsedProto extends ProtoText {
  readonly bytes: number;
  readonly imports: readonly string[];
  readonly types: INamespace;
}

/** What the worker makes of one text. */
type Answer = { readonly imports: string[]; readonly types: INamespace } | { readonly problem: string };

/** Reading takes no longer, and no more memory, than this: there are texts on which protobufjs works for minutes. */
export const PARSE_LIMIT_MS = 10_000;
const MEMORY_LIMIT_MB = 256;
const MAX_ANSWER_CHARACTERS = 64 * 1024 ** 2;

/** Google's files that are there without being loaded: those that protobufjs brings. */
export const WELL_KNOWN: readonly string[] = [
  'any',
  'duration',
  'empty',
  'field_mask',
  'struct',
  'timestamp',
  'wrappers',
].map((name) => `google/protobuf/${name}.proto`);

/**
 * protobufjs takes 0.4 s for a megabyte, in which no frame would be forwarded: so it reads beside, in a worker that can
 * be ended. As text, since Node 20 starts no worker from TypeScript. Its errors quote what may be as long as the file:
 * they come cut, with the line number that stands at their end.
 */
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const { parse, common } = require(workerData.protobufjs);
const answers = workerData.texts.map((text) => {
  try {
    const { imports = [], weakImports = [], root } = parse(text, { keepCase: true });
    return { imports: [...imports, ...weakImports], types: root.toJSON() };
  } catch (error) {
    const words = String(error.message);
    return { problem: words.length > 400 ? words.slice(0, 300) + '…' + words.slice(-100) : words };
  }
});
const wellKnown = workerData.wellKnown.map((path) => common.get(path));
parentPort.postMessage(JSON.stringify({ answers, wellKnown }));
`;

/** Texts as protobufjs reads them, with Google's well-known types. */
export interface Parsed {
  readonly files: readonly ParsedProto[];
  readonly wellKnown: readonly INamespace[];
}

/**
 * Reads the texts of .proto files, each by itself.
 * @throws {ProtoError} if one is wrong, or takes too long
 */
export async function parseProtos(texts: readonly ProtoText[], limitMs = PARSE_LIMIT_MS): Promise<Parsed> {
  const { answers, wellKnown } = await inWorker(texts, limitMs);
  const files = texts.map((file, at): ParsedProto => {
    const answer = answers[at] as Answer;
    if ('problem' in answer) throw problemIn(file, answer.problem);
    return { ...file, bytes: Buffer.byteLength(file.text), ...answer };
  });
  return { files, wellKnown };
}

function inWorker(
  texts: readonly ProtoText[],
  limitMs: number,
): Promise<{ answers: Answer[]; wellKnown: INamespace[] }> {
  const protobufjs = createRequire(import.meta.url).resolve('protobufjs');
  const worker = new Worker(WORKER, {
    eval: true,
    env: {},
    execArgv: [],
    workerData: { protobufjs, wellKnown: WELL_KNOWN, texts: texts.map(({ text }) => text.replace(/^\uFEFF/, '')) },
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_LIMIT_MB },
  });
  const names = texts.map(({ name }) => name).join(', ');
  return new Promise<string>((resolve, reject) => {
    const tooMuch = (): void => reject(new ProtoError(names, null, 'reading this takes too much time or memory'));
    const timer = setTimeout(tooMuch, limitMs);
    worker.once('message', (answer: string) => (answer.length > MAX_ANSWER_CHARACTERS ? tooMuch() : resolve(answer)));
    worker.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch() : reject(error),
    );
    worker.once('exit', () => {
      clearTimeout(timer);
      tooMuch();
    });
  })
    .then((answer) => JSON.parse(answer) as { answers: Answer[]; wellKnown: INamespace[] })
    .finally(() => worker.terminate());
}
