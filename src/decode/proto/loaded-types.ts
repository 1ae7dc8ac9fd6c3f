import { PROTO_LIMITS, type LoadedProtos, type ProtoText } from '../../contract/protos.ts';
import { FrametapError } from '../../errors.ts';
import { ByteReader } from '../byte-reader.ts';
import type { Decoding, MessageTypes, Payload, TypeCandidate } from '../decoder.ts';
import type { DecodedValue } from '../../contract/decoded.ts';
import { summaryOf, summaryOfValue } from '../value.ts';
import { isSameFile, link, type Linked } from './linker.ts';
import { MessageReader } from './message-reader.ts';
import { MessageView } from './message-view.ts';
import { parseProtos, type Parsed } from './parser.ts';
import { ProtoError } from './proto-error.ts';
import type { MessageType } from './schema.ts';
import { fittingTypes } from './type-fit.ts';

/** The .proto files that the user has loaded, and their types. What cannot be loaded changes nothing. */
export class LoadedTypes implements MessageTypes {
  #parsed: Parsed = { files: [], wellKnown: [] };
  #linked: Linked = { messages: new Map(), ofFile: new Map() };
  /** Without Google's, which come in other messages. */
  #own: readonly MessageType[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  readonly #parseLimitMs: number | undefined;

  /** @param options.parseLimitMs how long texts may take to be read */
  constructor(options: { readonly parseLimitMs?: number } = {}) {
    this.#parseLimitMs = options.parseLimitMs;
  }

  /**
   * Loads files beside those that are loaded, and in place of those of the same name. One that imports another has to
   * come with it, or after it.
   * @throws {ProtoError} if one is wrong, or there is too much
   */
  load(texts: readonly ProtoText[]): Promise<LoadedProtos> {
    const done = this.#turn.then(async () => {
      checkTexts(texts);
      const { files, wellKnown } = await parseProtos(texts, this.#parseLimitMs);
      const isNew = ({ name }: ProtoText): boolean => texts.some((text) => isSameFile(text.name, name));
      const before = this.#parsed.files.filter(isNew);
      const kept = this.#parsed.files.filter((file) => !isNew(file));
      const list = this.#take({ files: [...kept, ...files], wellKnown });
      const isOther = ({ name, text }: ProtoText): boolean =>
        !texts.some((one) => isSameFile(one.name, name) && one.text === text);
      const replaced = before.filter(isOther).map(({ name }) => name);
      return replaced.length === 0 ? list : { ...list, replaced };
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /**
   * @throws {FrametapError} `not-found`
   * @throws {ProtoError} if another file needs it
   */
  remove(name: string): LoadedProtos {
    const files = this.#parsed.files.filter((file) => file.name !== name);
    if (files.length === this.#parsed.files.length) {
      throw new FrametapError('not-found', `No file ${JSON.stringify(name)} is loaded.`);
    }
    return this.#take({ ...this.#parsed, files });
  }

  removeAll(): LoadedProtos {
    return this.#take({ ...this.#parsed, files: [] });
  }

  list(): LoadedProtos {
    const files = this.#parsed.files.map(({ name, bytes }) => ({
      name,
      bytes,
      messages: this.#linked.ofFile.get(name) ?? [],
    }));
    return { files: files.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  has(name: string): boolean {
    return this.#linked.messages.has(name);
  }

  decode(name: string, payload: Payload, score?: number): Decoding | null {
    const type = this.#linked.messages.get(name);
    if (type === undefined) return null;
    return this.#decodeBy(type, payload, score ?? fittingTypes([type], payload)[0]?.score ?? 0);
  }

  candidates(payload: Payload): TypeCandidate[] {
    return fittingTypes(this.#own, payload).map(({ type, score }) => ({ type: type.name, score }));
  }

  #decodeBy(type: MessageType, { bytes, cut }: Payload, score: number): Decoding {
    const reader = new ByteReader(bytes);
    const { message, ended } = new MessageReader(reader, { cut }).read(type);
    const value = withEnd(new MessageView(reader, (name) => this.#linked.messages.get(name)).message(message), ended);
    const ownName = type.name.slice(type.name.lastIndexOf('.') + 1);
    return { score, summary: summaryOf(`${ownName} ${summaryOfValue(value)}`), value };
  }

  /** @throws {ProtoError} and nothing has changed */
  #take(parsed: Parsed): LoadedProtos {
    const { files } = parsed;
    const last = files.at(-1)?.name ?? '';
    if (files.length > PROTO_LIMITS.files) {
      throw new ProtoError(last, null, `expected ${PROTO_LIMITS.files} files at most, but these are ${files.length}`);
    }
    if (files.reduce((sum, { bytes }) => sum + bytes, 0) > PROTO_LIMITS.totalBytes) {
      throw tooManyBytes(last);
    }
    const linked = link(parsed);
    this.#parsed = parsed;
    this.#linked = linked;
    this.#own = [...linked.ofFile.values()].flat().flatMap((name) => linked.messages.get(name) ?? []);
    return this.list();
  }
}

function tooManyBytes(file: string): ProtoError {
  return new ProtoError(file, null, `expected ${PROTO_LIMITS.totalBytes} bytes at most in all files`);
}

/** Before they are read, which takes its time. */
function checkTexts(texts: readonly ProtoText[]): void {
  const names = new Set<string>();
  let all = 0;
  for (const { name, text } of texts) {
    if (names.has(name)) throw new ProtoError(name, null, 'expected each name once');
    names.add(name);
    const bytes = Buffer.byteLength(text);
    if (bytes > PROTO_LIMITS.fileBytes) {
      throw new ProtoError(name, null, `expected ${PROTO_LIMITS.fileBytes} bytes at most in a file`);
    }
    if ((all += bytes) > PROTO_LIMITS.totalBytes) throw tooManyBytes(name);
  }
}

/** Says in the value why it is not all. */
function withEnd(value: DecodedValue, ended: string | null): DecodedValue {
  if (ended === null) return value;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { ...value, $cut: ended } : { value, $cut: ended };
}
